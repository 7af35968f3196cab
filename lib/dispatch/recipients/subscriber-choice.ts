import { Logger } from '@nestjs/common';
import { LogLine } from '../../common/index.js';
import type { Message } from '../../message/message.js';
import { hasEnded } from '../../message/recipient.js';
import { filterHolds, patternMatches, type Subscriber } from '../../subscriber/index.js';

const logger = new Logger('Thorn');

/**
 * The subscribers of an event whose `expiresAt` has not passed, who have not excluded the event, and whose filter holds
 * for the message.
 */
export function withoutUnwanted(
  subscribers: readonly Subscriber[],
  message: Message,
  now: number,
): readonly Subscriber[] {
  // Most have none of these, and are handed on as they are.
  if (!subscribers.some(isChoosy)) return subscribers;
  const payload = payloadOf(message);
  return subscribers.filter((one) => !hasEnded(one, now) && isWanted(one, message, payload));
}

/** True when a subscriber whose patterns match wants this message. */
export function wants(
  subscriber: Pick<Subscriber, 'exclude' | 'filter'>,
  message: Message,
): boolean {
  return isWanted(subscriber, message, payloadOf(message));
}

function isWanted(
  { exclude, filter }: Pick<Subscriber, 'exclude' | 'filter'>,
  { event }: Message,
  payload: () => unknown,
): boolean {
  if (exclude.some((pattern) => patternMatches(pattern, event))) return false;
  return filter === null || filterHolds(filter, payload());
}

function isChoosy({ exclude, filter, expiresAt }: Subscriber): boolean {
  return exclude.length > 0 || filter !== null || expiresAt !== null;
}

/**
 * The part of a message that filters read: the `data` of the body, or the whole body of a custom envelope. This is the
 * sent JSON, parsed when the first filter reads it, and once for all subscribers.
 */
function payloadOf(message: Message): () => unknown {
  let payload: { readonly data: unknown } | undefined;
  return () => (payload ??= { data: dataOf(message) }).data;
}

function dataOf(message: Message): unknown {
  let body: unknown;
  try {
    body = JSON.parse(message.json.toString());
  } catch {
    const text = `The body of ${message.id} (${message.event}) is not JSON: subscribers with a filter do not get the message`;
    logger.error(new LogLine(text, { messageId: message.id, event: message.event }));
    return null;
  }
  const hasData = typeof body === 'object' && body !== null && Object.hasOwn(body, 'data');
  return hasData ? (body as { readonly data: unknown }).data : body;
}
