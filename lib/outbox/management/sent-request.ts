import type { AttemptRecord, Deliverer } from '../../delivery/index.js';
import type { FanOut } from '../../dispatch/index.js';
import { Message, type Recipient } from '../../message/index.js';
import { isStaticId, type SubscriberRepository } from '../../subscriber/index.js';
import type { OutboxStore } from '../store/outbox-store.js';
import type { DeliveryDetails } from '../tables/delivery-record.js';
import { readable, UNREADABLE } from './current-hosts.js';

/**
 * Why a part of a request is not shown. `expunged`: the body of the message was dropped. `unreadable`: the message cannot be
 * read now. `subscriber-removed`, `subscriber-changed`: what was sent depends on a subscriber that is gone, or that was
 * changed since. `in-settings`: the subscriber is not stored but named by the application's settings. `own-signer`: the
 * application signs in its own way. `hidden`: a secret. `not-kept`: nothing of it is stored.
 */
export type MissingCode =
  | 'expunged'
  | 'unreadable'
  | 'subscriber-removed'
  | 'subscriber-changed'
  | 'in-settings'
  | 'own-signer'
  | 'hidden'
  | 'not-kept';

/** A part of a request that is not shown, and why. */
export interface MissingPart {
  /** Name of the field or header. */
  readonly field: string;
  readonly code: MissingCode;
  readonly reason: string;
}

/** The headers of one attempt. */
export interface SentHeaders {
  /** 1 for the first. */
  readonly number: number;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** The headers that the library sets; null when they are unknown. A header whose value is not shown is null. */
  readonly headers: Readonly<Record<string, string | null>> | null;
  readonly missing: readonly MissingPart[];
}

/** The request of a delivery as it was sent. Nothing of it is stored: it is made again from message and subscriber. */
export interface SentRequest {
  readonly deliveryId: string;
  readonly messageId: string;
  readonly event: string;
  readonly method: 'POST';
  /** The URL of the latest attempt. */
  readonly url: string | null;
  readonly contentType: string | null;
  /** The bytes that were signed and sent, as text where they are UTF-8. */
  readonly body: string | null;
  readonly bodyEncoding: 'utf8' | 'base64';
  readonly missing: readonly MissingPart[];
  /** Oldest first. */
  readonly attempts: readonly SentHeaders[];
}

/** What a request is made again from. */
export interface SentRequestSources {
  readonly deliverer: Deliverer;
  readonly subscribers: SubscriberRepository;
  readonly fanOut: FanOut;
}

/** A recipient, and since when it is surely the one that requests were made for. */
interface KnownRecipient {
  readonly recipient: Recipient;
  readonly since: number;
}

const TEXTS: Readonly<Record<MissingCode, string>> = {
  expunged: 'The body of the message was dropped.',
  unreadable: 'The message cannot be read now.',
  'subscriber-removed': 'The subscriber was removed.',
  'subscriber-changed': 'The subscriber was changed since, and only its present state is known.',
  'in-settings': 'The settings of the application name this subscriber, and may have changed.',
  'own-signer': 'The application signs in its own way, which cannot be repeated.',
  hidden: 'It may let whoever knows it in.',
  'not-kept': 'It is not stored.',
};
const SECRET = /^(?:cookie|hook-unsubscribe)$|auth|token|secret|passw|api-?key|credential/i;

/** Makes the request of a delivery again. */
export async function sentRequest(
  store: OutboxStore,
  delivery: DeliveryDetails,
  sources: SentRequestSources,
): Promise<SentRequest> {
  const { id, messageId, event, subscriberId, attemptCount, attempts } = delivery;
  const [row] = await store.messages.load([messageId]);
  const message = row === undefined ? null : readable(store, row);
  const known = await knownRecipient(subscriberId, message, sources);
  const missing: MissingPart[] = [];
  const lack = (code: MissingCode, ...fields: string[]) =>
    missing.push(...fields.map((field) => missingPart(field, code)));
  const latest = attempts.at(-1)?.startedAt ?? Number.POSITIVE_INFINITY;
  const fault = faultOf(known, latest);
  if (typeof known === 'string') lack(known, 'url', 'contentType');
  else if (fault !== null) lack(fault, ...(fault === 'in-settings' ? [] : ['url']), 'contentType');
  const recipient = typeof known === 'string' ? null : known.recipient;
  const isUrlKnown = recipient !== null && (fault === null || fault === 'in-settings');
  let bytes: Buffer | null = null;
  if (!(message instanceof Message)) lack(message === null ? 'expunged' : 'unreadable', 'body');
  else if (fault !== null || recipient === null) lack(fault ?? 'subscriber-removed', 'body');
  else bytes = bodyOf(message, recipient);
  if (bytes === null && missing.every(({ field }) => field !== 'body')) lack('unreadable', 'body');
  if (attempts.length < attemptCount) lack('not-kept', 'attempts');
  const isText = bytes === null || Buffer.from(bytes.toString()).equals(bytes);
  return {
    deliveryId: id,
    messageId,
    event,
    method: 'POST',
    url: isUrlKnown ? recipient.url : null,
    contentType: fault === null && recipient !== null ? recipient.contentType : null,
    body: bytes?.toString(isText ? 'utf8' : 'base64') ?? null,
    bodyEncoding: isText ? 'utf8' : 'base64',
    missing,
    attempts: await Promise.all(
      attempts.map((attempt) => sentHeaders(id, attempt, message, known, sources.deliverer)),
    ),
  };
}

async function sentHeaders(
  delivery: string,
  { number, startedAt }: AttemptRecord,
  message: Message | typeof UNREADABLE | null,
  known: KnownRecipient | MissingCode,
  deliverer: Deliverer,
): Promise<SentHeaders> {
  const unknown = (code: MissingCode): SentHeaders => ({
    ...{ number, startedAt, headers: null },
    missing: [missingPart('headers', code)],
  });
  if (message === null) return unknown('expunged');
  if (message === UNREADABLE) return unknown('unreadable');
  const fault = faultOf(known, startedAt);
  if (fault !== null || typeof known === 'string') return unknown(fault ?? 'subscriber-removed');
  if (bodyOf(message, known.recipient) === null) return unknown('unreadable');
  const made = await deliverer.headersAt(delivery, message, known.recipient, startedAt);
  const missing: MissingPart[] = [];
  const headers: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(made)) {
    headers[name] = SECRET.test(name) ? null : value;
    if (headers[name] === null) missing.push(missingPart(name, 'hidden'));
  }
  if (!deliverer.repeatsSignatures) missing.push(missingPart('signature', 'own-signer'));
  if (deliverer.hasTracing) missing.push(missingPart('traceparent', 'not-kept'));
  return { number, startedAt, headers, missing };
}

/** Finds the recipient with its secrets, those that have expired too as far as they are stored. */
async function knownRecipient(
  id: string,
  message: Message | typeof UNREADABLE | null,
  { subscribers, fanOut }: SentRequestSources,
): Promise<KnownRecipient | MissingCode> {
  if (message instanceof Message) {
    const own = message.recipients.find((one) => one.id === id);
    if (own !== undefined) return { recipient: own, since: 0 };
    if (isStaticId(id)) {
      const recipient = await fanOut
        .finder()
        .find(message, id)
        .catch(() => null);
      return recipient === null
        ? 'subscriber-removed'
        : { recipient, since: Number.POSITIVE_INFINITY };
    }
  }
  const subscriber = await subscribers.findById(id, 'any');
  if (subscriber === null) return 'subscriber-removed';
  return { recipient: subscriber, since: await subscribers.sentAsIsSince(subscriber) };
}

/** Why the recipient of an attempt may have been another one; null when it was not. */
function faultOf(known: KnownRecipient | MissingCode, startedAt: number): MissingCode | null {
  if (typeof known === 'string') return known;
  if (startedAt >= known.since) return null;
  return isStaticId(known.recipient.id) ? 'in-settings' : 'subscriber-changed';
}

function bodyOf(message: Message, { contentType }: Recipient): Buffer | null {
  try {
    return message.body(contentType);
  } catch {
    return null;
  }
}

function missingPart(field: string, code: MissingCode): MissingPart {
  return { field, code, reason: TEXTS[code] };
}
