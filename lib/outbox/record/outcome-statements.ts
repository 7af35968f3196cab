import type { Columns, Dialect, Statement, Tuple } from '../../database/dialect.js';
import { BulkStatement } from '../../database/bulk-statement.js';
import type { Result, Step } from '../../database/sql-client.js';
import type { TableNames } from '../tables/table-names.js';
import type { AttemptFilter, Outcome } from '../outcome.js';
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
import { deliveryKeys, isOfMessages, keyOf, rangesOf } from '../tables/keys.js';
import type { Finished } from '../tables/leases.js';

const HELD: Columns = { id: 'uuid', lease: 'text' };
const FINISHED: Columns = { ...HELD, first_id: 'uuid', last_id: 'uuid', deliveries: 'int' };
/** The rows that a part of a statement on PostgreSQL has inserted. Its other parts do not see them in the table. */
const INSERTED = 'inserted';
// A finished delivery leaves the queue of its key.
const LEAVES_QUEUE = ['key_hash', 'queue_position'].map(
  (name) => `${name} = CASE WHEN r.due_at IS NULL THEN NULL ELSE t.${name} END`,
);
const POSTPONED: Columns = { ...HELD, again_at: 'bigint' };

/**
 * Builds the statements that write a set of outcomes in one transaction. A row is written only if its lease is
 * unchanged, so a process whose lease has expired overwrites nothing. A message is finished only if the database counts
 * as many rows of deliveries as it has to have: until then, its row is all that is left of the others.
 */
export class OutcomeStatements {
  readonly #insertNew: BulkStatement;
  readonly #insertAttempts: BulkStatement;
  readonly #updateTried: BulkStatement;
  readonly #update: BulkStatement;
  readonly #finish: BulkStatement;
  readonly #finishWithNew: BulkStatement;
  readonly #finishCounted: BulkStatement;
  readonly #postpone: BulkStatement;

  constructor(
    private readonly dialect: Dialect,
    private readonly tables: TableNames,
    private readonly filter: AttemptFilter,
  ) {
    const { pendingMessages, deliveries, attempts } = tables;
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
    const counted = `(SELECT COUNT(*) FROM ${deliveries} d WHERE d.id >= r.first_id AND d.id <= r.last_id AND d.message_id = r.id)`;
    const finish = (source: (rows: string) => string, condition: string) =>
      new BulkStatement(dialect, FINISHED, (rows) =>
        dialect.deleteFrom(pendingMessages, source(rows), `${isHeld}${condition}`),
      );
    this.#finish = finish((rows) => rows, ` AND r.deliveries <= ${counted}`);
    this.#finishWithNew = finish(
      (rows) =>
        `${rows} LEFT JOIN (SELECT message_id, COUNT(*) AS rows FROM ${INSERTED} GROUP BY message_id) i ON i.message_id = r.id`,
      ` AND (r.deliveries <= COALESCE(i.rows, 0) OR r.deliveries <= COALESCE(i.rows, 0) + ${counted})`,
    );
    this.#finishCounted = finish((rows) => rows, '');
    this.#postpone = new BulkStatement(dialect, POSTPONED, (rows) =>
      dialect.updateFrom(pendingMessages, ['lease = NULL', 'due_at = r.again_at'], rows, isHeld),
    );
  }

  /** @param finished messages whose deliveries all have a row, including these outcomes */
  statements(outcomes: readonly Outcome[], finished: readonly Finished[]): readonly Step[] {
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
    const ended = finished.filter(({ againAt }) => againAt === null);
    const postponed = finished.flatMap<Tuple>(({ id, token, againAt }) =>
      againAt === null ? [] : [[keyOf('msg_', id), token, againAt]],
    );
    const others = [
      ...this.#insertAttempts.statements(attempts),
      ...this.#updateTried.statements(tried),
      ...this.#update.statements(changed),
      ...this.#postpone.statements(postponed),
    ];
    const inserts = this.#insertNew.statements(fresh);
    if (this.dialect.name === 'postgres') {
      return inOne(inserts, [...others, ...this.#finishing(ended, inserts.length > 0)]);
    }
    if (this.dialect.name === 'mysql') return [...inserts, ...others, ...this.#counting(ended)];
    return [...inserts, ...others, ...this.#finishing(ended, false)];
  }

  #finishing(ended: readonly Finished[], hasNew: boolean): Statement[] {
    return (hasNew ? this.#finishWithNew : this.#finish).statements(ended.map(finishedRow));
  }

  /** MySQL and MariaDB would go through the whole table to count within the statement that deletes. */
  #counting(ended: readonly Finished[]): Step[] {
    const counts = rangesOf(ended).map((set): Statement => {
      const { sql, parameters } = isOfMessages(set);
      return {
        sql: `SELECT d.message_id, COUNT(*) AS deliveries FROM ${this.tables.deliveries} d WHERE ${sql} GROUP BY d.message_id`,
        parameters,
      };
    });
    if (counts.length === 0) return [];
    const finish = (results: readonly Result[]) => {
      const rows = results.slice(-counts.length).flatMap((result) => result.rows);
      const written = new Map(rows.map((row) => [row['message_id'], Number(row['deliveries'])]));
      const complete = ended
        .map(finishedRow)
        .filter(([id, , , , deliveries]) => (written.get(id) ?? 0) >= deliveries);
      return this.#finishCounted.statements(complete)[0] ?? null;
    };
    return [...counts, finish];
  }
}

function finishedRow(message: Finished) {
  const [first, last] = deliveryKeys(message);
  const { id, token, deliveries } = message;
  return [keyOf('msg_', id), token, first, last, deliveries] as const;
}

/**
 * One statement is a transaction by itself. With others and their BEGIN and COMMIT, each answer would wait for its turn of a
 * busy event loop. All parts see the rows as they were before, and no two of them change the same one.
 */
function inOne(inserts: readonly Statement[], others: readonly Statement[]): Statement[] {
  const last = others.at(-1);
  if (last === undefined) return [...inserts];
  const parts = [
    ...inserts.map(({ sql }) => `${INSERTED} AS (${sql} RETURNING message_id)`),
    ...others.slice(0, -1).map(({ sql }, at) => `part${at} AS (${sql})`),
  ];
  return [
    {
      sql: parts.length === 0 ? last.sql : `WITH ${parts.join(', ')} ${last.sql}`,
      parameters: [...inserts, ...others].flatMap(({ parameters }) => parameters),
    },
  ];
}

/** The columns of the table: all but the token of the holder, which is compared alone. */
function written(columns: Columns): readonly string[] {
  return Object.keys(columns).filter((name) => name !== 'held_by');
}
