import { attemptRecordOf, type AttemptRecord } from '../../delivery/index.js';
import type { Tuple } from '../../database/dialect.js';
import type { Outcome } from '../outcome.js';
import { attemptValues } from '../tables/attempts.js';
import { keyAndGivenId } from '../tables/keys.js';

/** The values of {@link NEW}: a delivery that has no row yet, with the first attempt if there was one. */
export function newRow(outcome: Outcome, isKept: boolean): Tuple {
  const { messageId, subscriberId, attemptedAt, attempt, event } = outcome;
  const [message, givenMessageId] = keyAndGivenId('msg_', messageId);
  const [subscriber, givenSubscriberId] = keyAndGivenId('sub_', subscriberId);
  return [
    // Null when the first attempt, which is kept in the same row, is the latest.
    ...changedRow(outcome, isKept && attempt !== null ? null : attemptedAt),
    ...attemptValues(firstAttempt(outcome, isKept)),
    message,
    subscriber,
    givenMessageId,
    givenSubscriberId,
    event,
  ];
}

/** The values of {@link CHANGED}: the changes by an attempt behind the first, or by none. */
export function changedRow(outcome: Outcome, attemptedAt = outcome.attemptedAt): Tuple {
  const { state } = outcome;
  return [
    deliveryKey(outcome),
    outcome.lease,
    state.status,
    state.reason,
    state.attempts,
    state.throttled,
    outcome.requests,
    state.nextAt === null ? null : outcome.host,
    state.nextAt,
    attemptedAt,
    state.status === 'pending' ? null : outcome.at,
  ];
}

/** The values of {@link TRIED}: the changes by the first attempt of a delivery that had a row before. */
export function triedRow(outcome: Outcome, isKept: boolean): Tuple {
  return [...changedRow(outcome), ...attemptValues(firstAttempt(outcome, isKept))];
}

/** The row of an attempt behind the first: the values of {@link TRIED_AGAIN}. */
export function attemptRow(outcome: Outcome): Tuple {
  const { lease, requests, attempt } = outcome;
  const record = attemptRecordOf(requests, attempt!);
  return [deliveryKey(outcome), lease, requests, ...attemptValues(record)];
}

/** The id without its prefix: those of deliveries are never given. */
function deliveryKey({ id }: Outcome): string {
  return id.slice(4);
}

function firstAttempt({ requests, attempt }: Outcome, isKept: boolean): AttemptRecord | null {
  return isKept && attempt !== null ? attemptRecordOf(requests, attempt) : null;
}
