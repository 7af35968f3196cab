import { type Audience, type Codecs, Message } from '../message/index.js';
import type { Row } from './outbox-database.js';
import { UnreadableMessageError } from './unreadable-message.error.js';

/** The columns of a new row, in the order of {@link messageValues}. */
export const MESSAGE_COLUMNS = [
  'id',
  'event',
  'time',
  'sender',
  'audience',
  'ref',
  'headers',
  'settings',
  'recipients',
  'body',
  'lease',
  'due_at',
] as const;

export function messageValues(message: Message, lease: string, dueAt: number): unknown[] {
  return [
    message.id,
    message.event,
    message.time,
    message.sender,
    message.audience,
    message.ref,
    JSON.stringify(message.headers),
    JSON.stringify(message.settings),
    JSON.stringify(message.recipients),
    message.json.toString(),
    lease,
    dueAt,
  ];
}

/**
 * The message of a row, or null when its body was expunged.
 *
 * @throws {@link UnreadableMessageError}
 */
export function messageOf(row: Row, codecs: Codecs): Message | null {
  try {
    return row['body'] === null ? null : parsed(row, codecs);
  } catch (error) {
    throw new UnreadableMessageError(String(row['id']), error);
  }
}

function parsed(row: Row, codecs: Codecs): Message {
  return new Message(
    {
      id: row['id'] as string,
      event: row['event'] as string,
      time: Number(row['time']),
      ref: row['ref'] as string | null,
      sender: row['sender'] as string | null,
      audience: row['audience'] as Audience,
      headers: JSON.parse(row['headers'] as string) as Message['headers'],
      settings: JSON.parse(row['settings'] as string) as Message['settings'],
      recipients: JSON.parse(row['recipients'] as string) as Message['recipients'],
    },
    Buffer.from(row['body'] as string),
    codecs,
  );
}
