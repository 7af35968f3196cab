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

/** Writes a cursor as a text. */
export function formatCursor({ time, id }: MessageCursor): string {
  return `${time}:${id}`;
}

/** Returns the position of a message's row, whose `id` is that of the message. */
export function cursorOf(row: Readonly<Record<string, unknown>>): MessageCursor {
  return { time: Number(row['time']), id: row['id'] as string };
}
