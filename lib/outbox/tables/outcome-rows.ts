import { attemptRecordOf, type AttemptRecord } from '../../delivery/index.js';
import type { Columns } from '../database/dialect.js';
import type { Outcome } from '../model/outcome.js';
import { givenId, keyOf } from './keys.js';

/** The columns of an attempt that both tables name alike. */
const SHARED: Columns = {
  started_at: 'bigint',
  duration: 'int',
  error_code: 'text',
  error_message: 'text',
  response: 'text',
  address: 'text',
  answer_headers: 'text',
};
/** The columns of the first attempt in a row of `thorn_deliveries`. */
const FIRST: Columns = { ...SHARED, response_status: 'int' };
/** The columns of {@link changedRow}. */
export const CHANGED: Columns = {
  id: 'uuid',
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
/** The columns of {@link attemptRow}. */
export const ATTEMPT: Columns = { delivery_id: 'uuid', number: 'int', status: 'int', ...SHARED };
const NOT_KEPT = Object.fromEntries(Object.keys(FIRST).map((name) => [name, null]));

/** The row of a delivery that has none yet, with the first attempt if there was one. */
export function newRow(outcome: Outcome, isKept: boolean): object {
  const { messageId, subscriberId, state, requests, host, attemptedAt, lease, at } = outcome;
  const isWaiting = state.nextAt !== null;
  // Written out instead of reusing changedRow(): copying objects would double the cost.
  return {
    id: keyOf('dlv_', outcome.id),
    message_id: keyOf('msg_', messageId),
    subscriber_id: keyOf('sub_', subscriberId),
    given_message_id: givenId('msg_', messageId),
    given_subscriber_id: givenId('sub_', subscriberId),
    event: outcome.event,
    status: state.status,
    reason: state.reason,
    attempts: state.attempts,
    throttled: state.throttled,
    requests,
    host: isWaiting ? host : null,
    due_at: state.nextAt,
    permit_at: outcome.permitAt,
    // Null when the first attempt, which is kept in the same row, is the latest.
    attempted_at: isKept && outcome.attempt !== null ? null : attemptedAt,
    finished_at: isWaiting ? null : at,
    ...firstAttempt(outcome, isKept),
    held_by: lease,
  };
}

/** The changes by an attempt behind the first, or by none. */
export function changedRow(outcome: Outcome): object {
  const { id, state, requests, host, attemptedAt, lease, at } = outcome;
  return {
    id: keyOf('dlv_', id),
    status: state.status,
    reason: state.reason,
    attempts: state.attempts,
    throttled: state.throttled,
    requests,
    host: state.nextAt === null ? null : host,
    due_at: state.nextAt,
    permit_at: outcome.permitAt,
    attempted_at: attemptedAt,
    finished_at: state.status === 'pending' ? null : at,
    held_by: lease,
  };
}

/** The changes by the first attempt of a delivery that had a row before. */
export function triedRow(outcome: Outcome, isKept: boolean): object {
  return Object.assign(changedRow(outcome), firstAttempt(outcome, isKept));
}

function firstAttempt({ requests, attempt }: Outcome, isKept: boolean): object {
  if (!isKept || attempt === null) return NOT_KEPT;
  const record = attemptRecordOf(requests, attempt);
  return { ...sharedValues(record), response_status: record.status };
}

/** The row of an attempt behind the first. */
export function attemptRow({ id, requests, lease, attempt }: Outcome): object {
  const record = attemptRecordOf(requests, attempt!);
  const { number, status } = record;
  return {
    delivery_id: keyOf('dlv_', id),
    number,
    status,
    ...sharedValues(record),
    held_by: lease,
  };
}

function sharedValues(record: AttemptRecord): object {
  const { startedAt, duration, error, response, address, answerHeaders } = record;
  return {
    started_at: startedAt,
    duration,
    error_code: error?.code ?? null,
    error_message: error?.message ?? null,
    response,
    address,
    answer_headers: answerHeaders === null ? null : JSON.stringify(answerHeaders),
  };
}
