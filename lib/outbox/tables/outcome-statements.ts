import { type Attempt, attemptRecordOf } from '../../delivery/index.js';
import type { DeliveryState } from '../model/delivery-state.js';
import type { Columns, Dialect, Statement } from '../database/dialect.js';
import type { Finished } from '../store/held-leases.js';
import { RowSet } from '../database/bulk-statement.js';
import type { TableNames } from '../entities/table-names.js';

/** What became of a delivery; one row is written, and one for the attempt if there was one that is kept. */
export interface Outcome {
  readonly id: string;
  readonly messageId: string;
  readonly subscriberId: string;
  readonly event: string;
  readonly host: string;
  readonly state: DeliveryState;
  /** Requests made, this one included. */
  readonly requests: number;
  /** When the latest attempt began; null when there was none yet. */
  readonly attemptedAt: number | null;
  /** When the one before it began; null when there was none. */
  readonly previousAttemptAt: number | null;
  /** The token of the holder: of its message, as long as it has no row, else of the delivery itself. */
  readonly lease: string;
  /** Whether it has no row yet. */
  readonly isNew: boolean;
  /** When this was known. */
  readonly at: number;
  readonly attempt: Attempt | null;
  /** When its turn is expected, if it waits for the limit of its subscriber alone; else null. */
  readonly turnAt: number | null;
  /** Whether the endpoint said that it is gone for good. */
  readonly disablesSubscriber: boolean;
}

const NEW: Columns = {
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
  turn_at: 'bigint',
  created_at: 'bigint',
  attempted_at: 'bigint',
  finished_at: 'bigint',
};
const CHANGED: Columns = {
  id: 'text',
  status: 'text',
  reason: 'text',
  attempts: 'int',
  throttled: 'int',
  requests: 'int',
  host: 'text',
  due_at: 'bigint',
  turn_at: 'bigint',
  attempted_at: 'bigint',
  finished_at: 'bigint',
};
const ATTEMPT: Columns = {
  delivery_id: 'text',
  number: 'int',
  started_at: 'bigint',
  duration: 'int',
  status: 'int',
  error_code: 'text',
  error_message: 'text',
  answer: 'text',
  address: 'text',
};

/** Whether the outcome's attempt gets a row. */
export type KeepsAttempt = (outcome: Outcome) => boolean;

const FINISHED: Columns = { id: 'text', lease: 'text', again_at: 'bigint' };

/**
 * The statements that write a set of outcomes, to be run in one transaction. Each row is written only if the holder of
 * its lease is still the same: who was away for too long overwrites nothing.
 */
export class Settlement {
  readonly #keeps: KeepsAttempt;
  readonly #insertNew: RowSet;
  readonly #insertAttempts: RowSet;
  readonly #update: RowSet;
  readonly #finish: RowSet;

  constructor(
    dialect: Dialect,
    { messages, deliveries, attempts }: TableNames,
    keeps: KeepsAttempt,
  ) {
    this.#keeps = keeps;
    const select = (columns: Columns) =>
      Object.keys(columns)
        .map((name) => `r.${name}`)
        .join(', ');
    this.#insertNew = new RowSet(dialect, held(NEW), (rows) =>
      dialect.insertNew(
        deliveries,
        Object.keys(NEW),
        `SELECT ${select(NEW)} FROM ${rows} ${dialect.join} ${messages} m ON m.id = r.message_id WHERE m.lease = r.held_by`,
      ),
    );
    // A row of its own exists under this very id only if this process has written it or holds it.
    this.#insertAttempts = new RowSet(dialect, held(ATTEMPT), (rows) =>
      dialect.insertNew(
        attempts,
        Object.keys(ATTEMPT),
        `SELECT ${select(ATTEMPT)} FROM ${rows} ${dialect.join} ${deliveries} d ON d.id = r.delivery_id WHERE r.held_by IS NULL OR d.lease = r.held_by`,
      ),
    );
    const changes = Object.keys(CHANGED).slice(1);
    this.#update = new RowSet(dialect, held(CHANGED), (rows) =>
      dialect.updateFrom(
        deliveries,
        [...changes.map((name) => `${name} = r.${name}`), 'lease = NULL'],
        rows,
        't.id = r.id AND t.lease = r.held_by',
      ),
    );
    this.#finish = new RowSet(dialect, FINISHED, (rows) =>
      dialect.updateFrom(
        messages,
        ['lease = NULL', 'due_at = r.again_at'],
        rows,
        't.id = r.id AND t.lease = r.lease',
      ),
    );
  }

  /** @param finished messages all of whose deliveries have a row, with these outcomes included */
  statements(outcomes: readonly Outcome[], finished: readonly Finished[]): Statement[] {
    const fresh = outcomes.filter(({ isNew }) => isNew);
    const changed = outcomes.filter(({ isNew }) => !isNew);
    const attempts = outcomes.filter(this.#keeps);
    return [
      ...this.#insertNew.statements(fresh.map(newRow)),
      ...this.#insertAttempts.statements(attempts.map(attemptRow)),
      ...this.#update.statements(changed.map(changedRow)),
      ...this.#finish.statements(
        finished.map(({ id, lease, againAt }) => ({ id, lease, again_at: againAt })),
      ),
    ];
  }
}

/** The columns, and the token of the holder. */
function held(columns: Columns): Columns {
  return { ...columns, held_by: 'text' };
}

function newRow(outcome: Outcome): object {
  const { id, state, requests, host, attemptedAt, lease, at } = outcome;
  const isWaiting = state.status === 'pending';
  // Not changedRow() and more: copying objects would cost as much as all the rest.
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
    turn_at: outcome.turnAt,
    created_at: attemptedAt ?? at,
    attempted_at: attemptedAt,
    finished_at: isWaiting ? null : at,
    held_by: lease,
  };
}

function changedRow(outcome: Outcome): object {
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
    turn_at: outcome.turnAt,
    attempted_at: attemptedAt,
    finished_at: isWaiting ? null : at,
    held_by: lease,
  };
}

function attemptRow({ id, requests, isNew, lease, attempt }: Outcome): object {
  const { number, startedAt, duration, status, error, answer, address } = attemptRecordOf(
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
    answer,
    address,
    held_by: isNew ? null : lease,
  };
}
