/** The position in a scan of messages, oldest first. */
export interface MessageCursor {
  readonly time: number;
  readonly id: string;
}

/** Parses the text that {@link formatCursor} has written. */
export function parseCursor(text: string): MessageCursor {
  const colon = text.indexOf(':');
  return { time: Number(text.slice(0, colon)), id: text.slice(colon + 1) };
}

/** Writes the cursor behind a message's row. */
export function formatCursor(row: Readonly<Record<string, unknown>>): string {
  return `${Number(row['time'])}:${String(row['id'])}`;
}
