import { Logger } from '@nestjs/common';
import { LogLine } from '../../common/index.js';
import type { Message } from '../../message/message.js';
import type { Trigger } from '../../message/index.js';
import { hasEnded, type Recipient } from '../../message/recipient.js';
import { filterHolds, patternMatches, type Subscriber } from '../../subscriber/index.js';

const logger = new Logger('Thorn');

type Choice = Pick<Subscriber, 'exclude' | 'filter' | 'changed'>;

/**
 * The subscribers of an event whose `expiresAt` has not passed, who have not excluded the event, and whose filter and
 * `changed` hold for the message.
 */
export function withoutUnwanted(
  subscribers: readonly Subscriber[],
  message: Message,
  now: number,
): readonly Subscriber[] {
  // Most have none of these, and are handed on as they are.
  if (!subscribers.some(isChoosy)) return subscribers;
  const body = bodyOf(message);
  return subscribers.filter((one) => !hasEnded(one, now) && isWanted(one, message, body));
}

/** The recipients that the application or the message names, without those whose fields have not changed. */
export function withoutUnchanged(
  recipients: readonly Recipient[],
  message: Message,
): readonly Recipient[] {
  if (!recipients.some(({ changed }) => changed)) return recipients;
  const body = bodyOf(message);
  return recipients.filter(({ changed = null }) => hasChanged(changed, body));
}

/** True when a subscriber whose patterns match wants this message. */
export function wants(subscriber: Choice, message: Message): boolean {
  return isWanted(subscriber, message, bodyOf(message));
}

function isWanted(
  { exclude, filter, changed }: Choice,
  { event }: Message,
  body: () => unknown,
): boolean {
  if (exclude.some((pattern) => patternMatches(pattern, event))) return false;
  return hasChanged(changed, body) && (filter === null || filterHolds(filter, payloadOf(body())));
}

function isChoosy({ exclude, filter, changed, expiresAt }: Subscriber): boolean {
  return exclude.length > 0 || filter !== null || changed !== null || expiresAt !== null;
}

/** A message that does not tell its changed fields goes only to subscribers that do not ask for any. */
function hasChanged(wanted: Subscriber['changed'], body: () => unknown): boolean {
  if (wanted === null) return true;
  const { trigger } = (body() ?? {}) as { readonly trigger?: Partial<Trigger> };
  return trigger?.changed?.some((name) => wanted.includes(name)) === true;
}

/** The body of a message: the sent JSON, parsed when the first subscriber asks, and once for all subscribers. */
function bodyOf(message: Message): () => unknown {
  let parsed: { readonly body: unknown } | undefined;
  return () => (parsed ??= { body: parsedBody(message) }).body;
}

function parsedBody(message: Message): unknown {
  try {
    return JSON.parse(message.json.toString());
  } catch {
    const text = `The body of ${message.id} (${message.event}) is not JSON: subscribers with a filter or changed do not get the message`;
    logger.error(new LogLine(text, { messageId: message.id, event: message.event }));
    return null;
  }
}

/** The part of a body that filters read: its `data`, or the whole body of a custom envelope. */
function payloadOf(body: unknown): unknown {
  const hasData = typeof body === 'object' && body !== null && Object.hasOwn(body, 'data');
  return hasData ? (body as { readonly data: unknown }).data : body;
}
