import { attemptRecordOf } from '../../delivery/index.js';
import type { Columns, Dialect, Statement } from '../database/dialect.js';
import { BulkStatement } from '../database/bulk-statement.js';
import type { TableNames } from '../entities/table-names.js';
import type { AttemptFilter, Outcome } from '../model/outcome.js';
import type { Finished } from './leases.js';

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
  permit_at: 'bigint',
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
  permit_at: 'bigint',
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
  response: 'text',
  address: 'text',
};
const FINISHED: Columns = { id: 'text', lease: 'text', again_at: 'bigint' };

/**
 * Builds the statements that write a set of outcomes in one transaction. A row is written only if its lease is
 * unchanged, so a process whose lease has expired overwrites nothing.
 */
export class OutcomeStatements {
  readonly #insertNew: BulkStatement;
  readonly #insertAttempts: BulkStatement;
  readonly #update: BulkStatement;
  readonly #finish: BulkStatement;

  constructor(
    dialect: Dialect,
    { messages, deliveries, attempts }: TableNames,
    private readonly filter: AttemptFilter,
  ) {
    const select = (columns: Columns) =>
      Object.keys(columns)
        .map((name) => `r.${name}`)
        .join(', ');
    this.#insertNew = new BulkStatement(dialect, held(NEW), (rows) =>
      dialect.insertNew(
        deliveries,
        Object.keys(NEW),
        `SELECT ${select(NEW)} FROM ${rows} ${dialect.join} ${messages} m ON m.id = r.message_id WHERE m.lease = r.held_by`,
      ),
    );
    // A new delivery's row exists under this id only if this process has written or holds the row.
    this.#insertAttempts = new BulkStatement(dialect, held(ATTEMPT), (rows) =>
      dialect.insertNew(
        attempts,
        Object.keys(ATTEMPT),
        `SELECT ${select(ATTEMPT)} FROM ${rows} ${dialect.join} ${deliveries} d ON d.id = r.delivery_id WHERE r.held_by IS NULL OR d.lease = r.held_by`,
      ),
    );
    const changes = Object.keys(CHANGED).slice(1);
    this.#update = new BulkStatement(dialect, held(CHANGED), (rows) =>
      dialect.updateFrom(
        deliveries,
        [...changes.map((name) => `${name} = r.${name}`), 'lease = NULL'],
        rows,
        't.id = r.id AND t.lease = r.held_by',
      ),
    );
    this.#finish = new BulkStatement(dialect, FINISHED, (rows) =>
      dialect.updateFrom(
        messages,
        ['lease = NULL', 'due_at = r.again_at'],
        rows,
        't.id = r.id AND t.lease = r.lease',
      ),
    );
  }

  /** @param finished messages whose deliveries all have a row, including these outcomes */
  statements(outcomes: readonly Outcome[], finished: readonly Finished[]): Statement[] {
    const fresh = outcomes.filter(({ isNew }) => isNew);
    const changed = outcomes.filter(({ isNew }) => !isNew);
    const attempts = outcomes.filter((outcome) => this.filter.keeps(outcome));
    return [
      ...this.#insertNew.statements(fresh.map(newRow)),
      ...this.#insertAttempts.statements(attempts.map(attemptRow)),
      ...this.#update.statements(changed.map(changedRow)),
      ...this.#finish.statements(
        finished.map(({ id, token: lease, againAt }) => ({ id, lease, again_at: againAt })),
      ),
    ];
  }
}

/** Adds the token of the holder to the columns. */
function held(columns: Columns): Columns {
  return { ...columns, held_by: 'text' };
}

function newRow(outcome: Outcome): object {
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
    permit_at: outcome.permitAt,
    attempted_at: attemptedAt,
    finished_at: isWaiting ? null : at,
    held_by: lease,
  };
}

function attemptRow({ id, requests, isNew, lease, attempt }: Outcome): object {
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
    held_by: isNew ? null : lease,
  };
}
