import { attemptRecordOf, type AttemptRecord } from '../../delivery/index.js';
import type { UsualValue } from '../../database/bulk-statement.js';
import type { Columns, Tuple } from '../../database/dialect.js';
import type { Outcome } from '../outcome.js';
import { keyAndGivenId } from '../tables/keys.js';

/** The values of {@link attemptValues}, of an attempt in a row of `thorn_attempts`. */
const SHARED: Columns = {
  started_at: 'bigint',
  duration: 'int',
  status: 'int',
  error_code: 'text',
  error_message: 'text',
  response: 'text',
  address: 'text',
  answer_headers: 'text',
};
/** The same of the first attempt, in a row of `thorn_deliveries`. */
const FIRST: Columns = {
  started_at: 'bigint',
  duration: 'int',
  response_status: 'int',
  error_code: 'text',
  error_message: 'text',
  response: 'text',
  address: 'text',
  answer_headers: 'text',
};
/** The columns of {@link changedRow}. */
export const CHANGED: Columns = {
  id: 'uuid',
  held_by: 'text',
  status: 'text',
  reason: 'text',
  attempts: 'int',
  throttled: 'int',
  requests: 'int',
  host: 'text',
  due_at: 'bigint',
  permit_at: 'bigint',
  attempted_at: 'bigint',
  finished_at: 'bigint',
};
/** The columns of {@link triedRow}. */
export const TRIED: Columns = { ...CHANGED, ...FIRST };
/** The columns of {@link newRow}. */
export const NEW: Columns = {
  ...TRIED,
  message_id: 'uuid',
  subscriber_id: 'uuid',
  given_message_id: 'text',
  given_subscriber_id: 'text',
  event: 'text',
};
/** The values of a delivery that has succeeded at the first attempt, as most do. */
export const USUALLY_NEW: Readonly<Record<string, UsualValue>> = {
  status: 'succeeded',
  reason: null,
  attempts: 1,
  throttled: 0,
  requests: 1,
  host: null,
  due_at: null,
  permit_at: null,
  attempted_at: null,
  error_code: null,
  error_message: null,
  answer_headers: null,
  given_message_id: null,
  given_subscriber_id: null,
};
/** The columns of {@link attemptRow}. */
export const ATTEMPT: Columns = { delivery_id: 'uuid', held_by: 'text', number: 'int', ...SHARED };
const NOT_KEPT: { readonly [Value in keyof AttemptRecord]: null } = {
  number: null,
  startedAt: null,
  duration: null,
  status: null,
  error: null,
  response: null,
  answerHeaders: null,
  address: null,
};

/** The row of a delivery that has none yet, with the first attempt if there was one. */
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

/** The changes by an attempt behind the first, or by none. */
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
    outcome.permitAt,
    attemptedAt,
    state.status === 'pending' ? null : outcome.at,
  ];
}

/** The changes by the first attempt of a delivery that had a row before. */
export function triedRow(outcome: Outcome, isKept: boolean): Tuple {
  return [...changedRow(outcome), ...attemptValues(firstAttempt(outcome, isKept))];
}

/** The row of an attempt behind the first. */
export function attemptRow(outcome: Outcome): Tuple {
  const { lease, requests, attempt } = outcome;
  const record = attemptRecordOf(requests, attempt!);
  return [deliveryKey(outcome), lease, requests, ...attemptValues(record)];
}

/** The id without its prefix: those of deliveries are never given. */
function deliveryKey({ id }: Outcome): string {
  return id.slice(4);
}

function firstAttempt({ requests, attempt }: Outcome, isKept: boolean) {
  return isKept && attempt !== null ? attemptRecordOf(requests, attempt) : NOT_KEPT;
}

function attemptValues(record: AttemptRecord | typeof NOT_KEPT): Tuple {
  return [
    record.startedAt,
    record.duration,
    record.status,
    record.error?.code ?? null,
    record.error?.message ?? null,
    record.response,
    record.address,
    headersText(record),
  ];
}

function headersText({ answerHeaders }: Pick<AttemptRecord, 'answerHeaders'>): string | null {
  return answerHeaders === null ? null : JSON.stringify(answerHeaders);
}
