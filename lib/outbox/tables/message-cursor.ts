import { isIdLike } from '../../common/index.js';
import { InvalidInputError } from '../../errors/index.js';

/** The position in a scan of messages, oldest first. */
export interface MessageCursor {
  readonly time: number;
  readonly id: string;
}

/** Parses the text that {@link formatCursor} has written. @throws {@link InvalidInputError} for any other one */
export function parseCursor(text: string): MessageCursor {
  const [, time, id] = /^(\d{1,16}):(.+)$/.exec(text) ?? [];
  if (time === undefined || !isIdLike(id)) {
    throw new InvalidInputError('after', 'must be the "next" of an earlier call');
  }
  return { time: Number(time), id };
}

/** Writes a cursor as a text. */
export function formatCursor({ time, id }: MessageCursor): string {
  return `${time}:${id}`;
}

/** Returns the position of a message's row, whose `id` is that of the message. */
export function cursorOf(row: Readonly<Record<string, unknown>>): MessageCursor {
  return { time: Number(row['time']), id: row['id'] as string };
}
