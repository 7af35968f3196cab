import { attemptRecordOf } from '../../delivery/index.js';
import type { Columns } from '../database/dialect.js';
import type { Outcome } from '../model/outcome.js';

/** The attempt in a row of `thorn_deliveries`: the first one. */
const FIRST: Columns = {
  started_at: 'bigint',
  duration: 'int',
  response_status: 'int',
  error_code: 'text',
  error_message: 'text',
  response: 'text',
  address: 'text',
};
/** The columns of {@link newRow}. */
export const NEW: Columns = {
  id: 'text',
  message_id: 'text',
  subscriber_id: 'text',
  event: 'text',
  status: 'text',
  reason: 'text',
  attempts: 'int',
  throttled: 'int',
  requests: 'int',
  host: 'text',
  due_at: 'bigint',
  permit_at: 'bigint',
  created_at: 'bigint',
  attempted_at: 'bigint',
  finished_at: 'bigint',
  ...FIRST,
};
/** The columns of {@link changedRow}. */
export const CHANGED: Columns = {
  id: 'text',
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
/** The columns of {@link attemptRow}. */
export const ATTEMPT: Columns = {
  delivery_id: 'text',
  number: 'int',
  started_at: 'bigint',
  duration: 'int',
  status: 'int',
  error_code: 'text',
  error_message: 'text',
  response: 'text',
  address: 'text',
};
const NOT_KEPT = {
  started_at: null,
  duration: null,
  response_status: null,
  error_code: null,
  error_message: null,
  response: null,
  address: null,
};

/** The row of a delivery that has none yet, with the first attempt if there was one. */
export function newRow(outcome: Outcome, isKept: boolean): object {
  const { id, state, requests, host, attemptedAt, lease, at } = outcome;
  const isWaiting = state.status === 'pending';
  // Written out instead of reusing changedRow(): copying objects would double the cost.
  return {
    id,
    message_id: outcome.messageId,
    subscriber_id: outcome.subscriberId,
    event: outcome.event,
    status: state.status,
    reason: state.reason,
    attempts: state.attempts,
    throttled: state.throttled,
    requests,
    host: isWaiting ? host : null,
    due_at: state.nextAt,
    permit_at: outcome.permitAt,
    created_at: attemptedAt ?? at,
    attempted_at: attemptedAt,
    finished_at: isWaiting ? null : at,
    ...firstAttempt(outcome, isKept),
    held_by: lease,
  };
}

/** The changes by an attempt behind the first, or by none. */
export function changedRow(outcome: Outcome): object {
  const { id, state, requests, host, attemptedAt, lease, at } = outcome;
  const isWaiting = state.status === 'pending';
  return {
    id,
    status: state.status,
    reason: state.reason,
    attempts: state.attempts,
    throttled: state.throttled,
    requests,
    host: isWaiting ? host : null,
    due_at: state.nextAt,
    permit_at: outcome.permitAt,
    attempted_at: attemptedAt,
    finished_at: isWaiting ? null : at,
    held_by: lease,
  };
}

/** The changes by the first attempt of a delivery that had a row before. */
export function triedRow(outcome: Outcome, isKept: boolean): object {
  return { ...changedRow(outcome), ...firstAttempt(outcome, isKept) };
}

function firstAttempt({ requests, attempt }: Outcome, isKept: boolean): object {
  if (!isKept || attempt === null) return NOT_KEPT;
  const record = attemptRecordOf(requests, attempt);
  const { startedAt, duration, status, error, response, address } = record;
  return {
    started_at: startedAt,
    duration,
    response_status: status,
    error_code: error?.code ?? null,
    error_message: error?.message ?? null,
    response,
    address,
  };
}

/** The row of an attempt behind the first. */
export function attemptRow({ id, requests, lease, attempt }: Outcome): object {
  const { number, startedAt, duration, status, error, response, address } = attemptRecordOf(
    requests,
    attempt!,
  );
  return {
    delivery_id: id,
    number,
    started_at: startedAt,
    duration,
    status,
    error_code: error?.code ?? null,
    error_message: error?.message ?? null,
    response,
    address,
    held_by: lease,
  };
}
