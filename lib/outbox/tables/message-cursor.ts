/** Where a look at the messages goes on, oldest first. */
export interface MessageCursor {
  readonly time: number;
  readonly id: string;
}

/** Reads what {@link cursorText} has written. */
export function cursorOf(text: string): MessageCursor {
  const colon = text.indexOf(':');
  return { time: Number(text.slice(0, colon)), id: text.slice(colon + 1) };
}

/** The cursor behind a message's row. */
export function cursorText(row: Readonly<Record<string, unknown>>): string {
  return `${Number(row['time'])}:${String(row['id'])}`;
}
