import { type Audience, type Codecs, Message, type MessageSettings } from '../../message/index.js';
import { UnreadableMessageError } from '../tables/unreadable-message.error.js';

/** What is stored of a message besides its id: plain JSON, made by {@link contentsOf}. */
export interface MessageContents {
  readonly event: string;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly owner: string | null;
  readonly audience: Audience;
  readonly ref: string | null;
  readonly settings: MessageSettings;
  readonly traceparent: string | null;
  /** The bytes that are signed, in base64. */
  readonly body: string;
}

// The columns' lengths.
const LONGEST = { event: 256, owner: 255 } as const;

/**
 * Whether a message may leave the database: its subscribers have secrets, and a header may be one. What the database would
 * refuse stays as well, so that the sender is told.
 */
export function mayBeCarried({ event, owner, ref, headers, recipients }: Message): boolean {
  const hasSecrets = recipients.length > 0 || Object.keys(headers).length > 0;
  const isStorable =
    event.length <= LONGEST.event &&
    (owner ?? '').length <= LONGEST.owner &&
    !`${owner}${ref}`.includes('\0');
  return !hasSecrets && isStorable;
}

/** @param message one that {@link mayBeCarried} */
export function contentsOf(message: Message): MessageContents {
  const { event, time, owner, audience, ref, settings, traceparent, json } = message;
  const body = json.toString('base64');
  return { event, time, owner, audience, ref, settings, traceparent, body };
}

/** @throws {@link UnreadableMessageError} when they are no contents that this version has made */
export function messageFrom(id: string, contents: unknown, codecs: Codecs): Message {
  if (!isContents(contents))
    throw new UnreadableMessageError(id, 'its contents are of another kind');
  const { body, ...fields } = contents;
  return new Message(
    { ...fields, id, headers: {}, recipients: [] },
    Buffer.from(body, 'base64'),
    codecs,
  );
}

function isContents(value: unknown): value is MessageContents {
  const given = (value ?? {}) as Partial<Record<keyof MessageContents, unknown>>;
  const isText = (one: unknown) => typeof one === 'string';
  const isTextOrNull = (one: unknown) => one === null || isText(one);
  return (
    isText(given.event) &&
    Number.isSafeInteger(given.time) &&
    isTextOrNull(given.owner) &&
    (given.audience === 'everyone' || given.audience === 'owner') &&
    isTextOrNull(given.ref) &&
    typeof given.settings === 'object' &&
    given.settings !== null &&
    isTextOrNull(given.traceparent) &&
    isText(given.body)
  );
}
