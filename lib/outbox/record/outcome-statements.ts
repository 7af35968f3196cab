import type { BulkStatement } from '../../database/bulk-statement.js';
import type { Statement, Tuple } from '../../database/dialect.js';
import type { Result, Step } from '../../database/sql-client.js';
import type { AttemptFilter, Outcome } from '../outcome.js';
import { insertAttempts } from '../tables/attempts.js';
import {
  CHANGED,
  countByMessage,
  insertOutcomes,
  TRIED,
  updateOutcomes,
} from '../tables/deliveries.js';
import { deliveryKeys, keyOf, rangesOf } from '../tables/keys.js';
import type { Finished } from '../tables/leases.js';
import { finishPending, INSERTED, postponePending } from '../tables/pending-messages.js';
import type { Target } from '../tables/table-names.js';
import { attemptRow, changedRow, newRow, triedRow } from './outcome-rows.js';

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
    private readonly target: Target,
    private readonly filter: AttemptFilter,
  ) {
    this.#insertNew = insertOutcomes(target);
    this.#insertAttempts = insertAttempts(target);
    this.#updateTried = updateOutcomes(target, TRIED);
    this.#update = updateOutcomes(target, CHANGED);
    this.#finish = finishPending(target, 'rows');
    this.#finishWithNew = finishPending(target, 'inserted');
    this.#finishCounted = finishPending(target, 'none');
    this.#postpone = postponePending(target);
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
    if (this.target.dialect.name === 'postgres') {
      return inOne(inserts, [...others, ...this.#finishing(ended, inserts.length > 0)]);
    }
    if (this.target.dialect.name === 'mysql')
      return [...inserts, ...others, ...this.#counting(ended)];
    return [...inserts, ...others, ...this.#finishing(ended, false)];
  }

  #finishing(ended: readonly Finished[], hasNew: boolean): Statement[] {
    return (hasNew ? this.#finishWithNew : this.#finish).statements(ended.map(finishedRow));
  }

  /** MySQL and MariaDB would go through the whole table to count within the statement that deletes. */
  #counting(ended: readonly Finished[]): Step[] {
    const counts = rangesOf(ended).map((set) => countByMessage(this.target, set));
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
 * One statement is a transaction by itself. With others and their BEGIN and COMMIT, each answer would wait for a
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
