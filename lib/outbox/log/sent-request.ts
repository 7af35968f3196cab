import type { FanOut } from '../../dispatch/index.js';
import {
  type EncodedRequest,
  Message,
  type Recipient,
  type WebhookFormats,
} from '../../message/index.js';
import { isStaticId, type SubscriberRepository } from '../../subscriber/index.js';
import type { OutboxStore } from '../store/outbox-store.js';
import type { DeliveryDetails } from '../tables/delivery-record.js';
import { readable, UNREADABLE } from '../retry/current-hosts.js';

/**
 * Why a part of a request is not shown. `expunged`: the body of the message was dropped. `unreadable`: the message cannot be
 * read or encoded now. `subscriber-removed`, `subscriber-changed`: the request depends on a subscriber that is gone, or that was
 * changed since. `in-settings`: the subscriber is not stored but named by the application's settings.
 */
export type MissingCode =
  'expunged' | 'unreadable' | 'subscriber-removed' | 'subscriber-changed' | 'in-settings';

/** A part of a request that is not shown, and why. */
export interface MissingPart {
  /** Name of the field. */
  readonly field: string;
  readonly code: MissingCode;
  readonly reason: string;
}

/** The URL and the body of a delivery as they were sent, from its message and its subscriber. */
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
}

/** Where the recipient of a request is looked up. */
export interface SentRequestSources {
  readonly subscribers: SubscriberRepository;
  readonly fanOut: FanOut;
  readonly formats: WebhookFormats;
}

/** The recipient as it is now, and why it may have been another one when the request was sent. */
interface KnownRecipient {
  readonly recipient: Recipient | null;
  readonly fault: MissingCode | null;
}

const REASONS: Readonly<Record<MissingCode, string>> = {
  expunged: 'The body of the message was dropped.',
  unreadable: 'The message cannot be read or encoded now.',
  'subscriber-removed': 'The subscriber was removed.',
  'subscriber-changed': 'The subscriber was changed since, and only its present state is known.',
  'in-settings': 'The settings of the application name this subscriber, and may have changed.',
};

/** Reads the body and the URL of a delivery. */
export async function sentRequest(
  store: OutboxStore,
  delivery: DeliveryDetails,
  sources: SentRequestSources,
): Promise<SentRequest> {
  const { id, messageId, event } = delivery;
  const [row] = await store.messages.load([messageId]);
  const message = row === undefined ? null : readable(store, row);
  const { recipient, fault } = await knownRecipient(delivery, message, sources);
  const made = fault === null ? encoded(message, recipient!, sources.formats) : fault;
  const request = typeof made === 'string' ? null : made;
  const body = request?.body ?? null;
  const failure = typeof made === 'string' ? made : null;
  // A format says it of each request.
  const isFormatted = (recipient?.format ?? null) !== null;
  const contentType = request?.contentType ?? recipient?.contentType ?? null;
  const isText = body === null || Buffer.from(body.toString()).equals(body);
  const missing: MissingPart[] = [];
  /** The value, unless a code says why it is not shown. */
  const shown = (field: string, value: string | null, code: MissingCode | null) => {
    if (code === null) return value;
    missing.push({ field, code, reason: REASONS[code] });
    return null;
  };
  return {
    ...{ deliveryId: id, messageId, event, method: 'POST' },
    url: shown('url', recipient?.url ?? null, fault === 'in-settings' ? null : fault),
    contentType: shown('contentType', contentType, isFormatted ? failure : fault),
    body: shown('body', body?.toString(isText ? 'utf8' : 'base64') ?? null, failure),
    bodyEncoding: isText ? 'utf8' : 'base64',
    missing,
  };
}

async function knownRecipient(
  { subscriberId: id, attempts }: DeliveryDetails,
  message: Message | typeof UNREADABLE | null,
  { subscribers, fanOut }: SentRequestSources,
): Promise<KnownRecipient> {
  if (message instanceof Message) {
    const own = message.recipients.find((one) => one.id === id);
    if (own !== undefined) return { recipient: own, fault: null };
    if (isStaticId(id)) {
      const finder = fanOut.finder();
      const recipient = await finder.find(message, id).catch(() => null);
      return { recipient, fault: recipient === null ? 'subscriber-removed' : 'in-settings' };
    }
  }
  const recipient = await subscribers.findById(id, 'any');
  if (recipient === null) return { recipient, fault: 'subscriber-removed' };
  const latest = attempts.at(-1)?.startedAt ?? Number.POSITIVE_INFINITY;
  const isSame = latest >= (await subscribers.sentAsIsSince(recipient));
  return { recipient, fault: isSame ? null : 'subscriber-changed' };
}

/** The request for a recipient, or why it is not known. */
function encoded(
  message: Message | typeof UNREADABLE | null,
  recipient: Recipient,
  formats: WebhookFormats,
): EncodedRequest | MissingCode {
  if (message === null) return 'expunged';
  if (message === UNREADABLE) return 'unreadable';
  try {
    return formats.encode(message, recipient);
  } catch {
    return 'unreadable';
  }
}
