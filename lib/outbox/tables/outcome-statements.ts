import type { Columns, Dialect, Statement, Tuple } from '../database/dialect.js';
import { BulkStatement } from '../database/bulk-statement.js';
import type { TableNames } from '../entities/table-names.js';
import type { AttemptFilter, Outcome } from '../model/outcome.js';
import {
  ATTEMPT,
  attemptRow,
  CHANGED,
  changedRow,
  NEW,
  newRow,
  TRIED,
  triedRow,
  USUALLY_NEW,
} from './outcome-rows.js';
import { keyOf } from './keys.js';
import type { Finished } from './leases.js';

const FINISHED: Columns = { id: 'uuid', lease: 'text' };
// What is finished is no longer in the queue of its key.
const LEAVES_QUEUE = ['key_hash', 'place'].map(
  (name) => `${name} = CASE WHEN r.due_at IS NULL THEN NULL ELSE t.${name} END`,
);
const POSTPONED: Columns = { ...FINISHED, again_at: 'bigint' };

/**
 * Builds the statements that write a set of outcomes in one transaction. A row is written only if its lease is
 * unchanged, so a process whose lease has expired overwrites nothing.
 */
export class OutcomeStatements {
  readonly #insertNew: BulkStatement;
  readonly #insertAttempts: BulkStatement;
  readonly #updateTried: BulkStatement;
  readonly #update: BulkStatement;
  readonly #finish: BulkStatement;
  readonly #postpone: BulkStatement;

  constructor(
    private readonly dialect: Dialect,
    { pendingMessages, deliveries, attempts }: TableNames,
    private readonly filter: AttemptFilter,
  ) {
    const select = (names: readonly string[]) => names.map((name) => `r.${name}`).join(', ');
    const [inserted, attempted] = [written(NEW), written(ATTEMPT)];
    this.#insertNew = new BulkStatement(
      dialect,
      NEW,
      (rows) =>
        dialect.insertRarelyKnown(
          deliveries,
          inserted,
          `SELECT ${select(inserted)} FROM ${rows} ${dialect.join} ${pendingMessages} p ON p.id = r.message_id WHERE p.lease = r.held_by`,
        ),
      USUALLY_NEW,
    );
    this.#insertAttempts = new BulkStatement(dialect, ATTEMPT, (rows) =>
      dialect.insertNew(
        attempts,
        attempted,
        `SELECT ${select(attempted)} FROM ${rows} ${dialect.join} ${deliveries} d ON d.id = r.delivery_id WHERE d.lease = r.held_by`,
      ),
    );
    const update = (columns: Columns) => {
      const changes = written(columns).slice(1);
      return new BulkStatement(dialect, columns, (rows) =>
        dialect.updateFrom(
          deliveries,
          [...changes.map((name) => `${name} = r.${name}`), ...LEAVES_QUEUE, 'lease = NULL'],
          rows,
          't.id = r.id AND t.lease = r.held_by',
        ),
      );
    };
    this.#updateTried = update(TRIED);
    this.#update = update(CHANGED);
    const isHeld = 't.id = r.id AND t.lease = r.lease';
    this.#finish = new BulkStatement(dialect, FINISHED, (rows) =>
      dialect.deleteFrom(pendingMessages, rows, isHeld),
    );
    this.#postpone = new BulkStatement(dialect, POSTPONED, (rows) =>
      dialect.updateFrom(pendingMessages, ['lease = NULL', 'due_at = r.again_at'], rows, isHeld),
    );
  }

  /** @param finished messages whose deliveries all have a row, including these outcomes */
  statements(outcomes: readonly Outcome[], finished: readonly Finished[]): Statement[] {
    const fresh: Tuple[] = [];
    const tried: Tuple[] = [];
    const changed: Tuple[] = [];
    const attempts: Tuple[] = [];
    for (const outcome of outcomes) {
      const isKept = this.filter.keeps(outcome);
      const isFirst = outcome.requests === 1 && outcome.attempt !== null;
      if (outcome.isNew) fresh.push(newRow(outcome, isKept));
      else if (isFirst) tried.push(triedRow(outcome, isKept));
      else {
        changed.push(changedRow(outcome));
        if (isKept) attempts.push(attemptRow(outcome));
      }
    }
    const ended: Tuple[] = [];
    const postponed: Tuple[] = [];
    for (const { id, token: lease, againAt, isGone } of finished) {
      if (isGone === true && againAt === null) continue;
      const key = keyOf('msg_', id);
      if (againAt === null) ended.push([key, lease]);
      else postponed.push([key, lease, againAt]);
    }
    const statements = [
      ...this.#insertNew.statements(fresh),
      ...this.#insertAttempts.statements(attempts),
      ...this.#updateTried.statements(tried),
      ...this.#update.statements(changed),
      ...this.#finish.statements(ended),
      ...this.#postpone.statements(postponed),
    ];
    return this.dialect.name === 'postgres' ? inOne(statements) : statements;
  }
}

/**
 * One statement is a transaction by itself. With others and their BEGIN and COMMIT, each answer would wait for its turn of a
 * busy event loop. All parts see the rows as they were before, and no two of them change the same one.
 */
function inOne(statements: readonly Statement[]): Statement[] {
  const last = statements.at(-1);
  if (last === undefined) return [];
  const parts = statements.slice(0, -1).map(({ sql }, at) => `part${at} AS (${sql})`);
  return [
    {
      sql: parts.length === 0 ? last.sql : `WITH ${parts.join(', ')} ${last.sql}`,
      parameters: statements.flatMap(({ parameters }) => parameters),
    },
  ];
}

/** The columns of the table: all but the token of the holder, which is compared alone. */
function written(columns: Columns): readonly string[] {
  return Object.keys(columns).filter((name) => name !== 'held_by');
}
