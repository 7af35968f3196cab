import { ownerReason, ownerView } from '../../delivery/index.js';
import {
  ANSWER_CLASSES,
  type DeliveryDetails,
  type DeliveryRecord,
  type DeliverySubscriber,
} from '../../outbox/index.js';
import { isoOf } from '../http/iso-time.js';
import { ATTEMPT_ANSWER } from '../subscribers/test.view.js';
import {
  all,
  count,
  flag,
  integer,
  list,
  nullable,
  oneOf,
  type Schema,
  text,
  time,
  type ValueOf,
} from '../../common/json-schema.js';

/** @param until the end of the pause; null while it has none */
export function pauseOf<Until extends Schema>(until: Until, description: string) {
  const reason = oneOf(['operator', 'retry-after', 'breaker']);
  return nullable({ ...all({ reason, until }), description });
}
export const DELIVERY_PAUSE = 'Why a pending delivery is not sent to its subscriber for now';

/** A delivery as the subscriber's owner sees it. */
export const DELIVERY = {
  id: text,
  self: text,
  messageId: text,
  subscriberId: text,
  url: nullable({
    ...text,
    description: 'Of the subscriber as it is now, without its query; null where it is not stored',
  }),
  description: nullable({ ...text, description: 'Of the subscriber as it is now' }),
  event: text,
  subject: nullable({
    ...text,
    description:
      'What the message is about: the id of its data, else its order key, else its ref; null when none of them is known, the body was dropped, or operators see no bodies',
  }),
  status: oneOf(['pending', 'succeeded', 'failed']),
  reason: nullable({ ...text, description: 'Why it failed' }),
  attemptCount: { ...count, description: 'Requests that were made' },
  latestStatus: nullable({ ...integer, description: 'Of the latest answer' }),
  statusClass: oneOf(ANSWER_CLASSES),
  nextAt: nullable({
    ...time,
    description:
      'When it is tried again at the earliest; null while an attempt is under way, and while it is blocked',
  }),
  pause: pauseOf(nullable(time), DELIVERY_PAUSE),
  rateLimited: { ...flag, description: 'Waits for the rate limit of its subscriber' },
  blocked: { ...flag, description: 'Waits for an earlier delivery of its key' },
  holding: { ...flag, description: 'Has failed, and keeps later ones of its key back' },
  createdAt: time,
  attemptedAt: nullable(time),
  finishedAt: nullable(time),
};

const ATTEMPT = all({ number: count, ...ATTEMPT_ANSWER });

export const DELIVERY_DETAILS = {
  ...DELIVERY,
  blockedBy: nullable({ ...text, description: 'The delivery that it waits for' }),
  expunged: { ...flag, description: 'The body was dropped after its time: no retry is possible' },
  attempts: list(ATTEMPT),
};

const VIEW = all(DELIVERY);
const DETAILS_VIEW = all(DELIVERY_DETAILS);

export type DeliveryView = ValueOf<typeof VIEW>;
export type DeliveryDetailsView = ValueOf<typeof DETAILS_VIEW>;
export interface DeliveryPageView {
  readonly items: readonly DeliveryView[];
  readonly next: string | null;
}

export function deliveryView(
  delivery: DeliveryRecord & DeliverySubscriber,
  self: string,
): DeliveryView {
  return {
    id: delivery.id,
    self,
    messageId: delivery.messageId,
    subscriberId: delivery.subscriberId,
    url: delivery.url,
    description: delivery.description,
    event: delivery.event,
    subject: delivery.subject,
    status: delivery.status,
    reason: ownerReason(delivery.reason),
    attemptCount: delivery.attemptCount,
    latestStatus: delivery.latestStatus,
    statusClass: delivery.statusClass,
    nextAt: isoOf(delivery.nextAt),
    pause: delivery.pause && { ...delivery.pause, until: isoOf(delivery.pause.until) },
    rateLimited: delivery.rateLimited,
    blocked: delivery.blocked,
    holding: delivery.holding,
    createdAt: new Date(delivery.createdAt).toISOString(),
    attemptedAt: isoOf(delivery.attemptedAt),
    finishedAt: isoOf(delivery.finishedAt),
  };
}

export function deliveryDetailsView(
  delivery: DeliveryDetails & DeliverySubscriber,
  self: string,
): DeliveryDetailsView {
  return {
    ...deliveryView(delivery, self),
    blockedBy: delivery.blockedBy,
    expunged: delivery.expunged,
    attempts: delivery.attempts.map((attempt) => {
      const { startedAt, ...answer } = ownerView(attempt);
      return { number: attempt.number, startedAt: new Date(startedAt).toISOString(), ...answer };
    }),
  };
}
