import type { DataSource, QueryRunner } from 'typeorm';
import { prepare, type SqliteHandle } from '../../sqlite/index.js';
import type { Statement } from './dialect.js';
import { NOTHING_DONE, type Result, type Step } from './outbox-database.js';
import type { SqliteStaging } from './sqlite-staging.js';

/** What {@link SqliteStatements.moves} returns when nothing is staged. */
export const NOTHING_STAGED = { moves: [], isAll: true };

/** Runs statements on connections of SQLite: prepared, told to the application's log, and with the table of staged messages. */
export class SqliteStatements {
  /** Null where nothing is staged. */
  readonly staging: SqliteStaging | null;

  constructor(
    private readonly dataSource: DataSource,
    staging: SqliteStaging | null,
  ) {
    // Who only reads cannot move anything.
    this.staging = Reflect.get(dataSource.options, 'readonly') === true ? null : staging;
  }

  /** The statements that move what is staged. */
  moves(handle: SqliteHandle): ReturnType<SqliteStaging['movesOf']> {
    if (this.staging === null) return NOTHING_STAGED;
    // In the application's log it would be half of all that is there.
    return this.staging.movesOf(this.#runUnlogged(handle, this.staging.count));
  }

  /** @param moves the statements that come before the steps */
  transaction(
    handle: SqliteHandle,
    moves: readonly Statement[],
    steps: readonly Step[],
  ): readonly Result[] {
    if (moves.length === 0 && steps.length === 1) return this.#results(handle, steps);
    handle.exec('BEGIN IMMEDIATE');
    try {
      for (const move of moves) this.run(handle, move);
      const results = this.#results(handle, steps);
      handle.exec('COMMIT');
      return results;
    } catch (error) {
      if (handle.inTransaction) handle.exec('ROLLBACK');
      throw error;
    }
  }

  run(handle: SqliteHandle, statement: Statement, runner?: QueryRunner): Result {
    this.log(statement, runner);
    return this.#runUnlogged(handle, statement);
  }

  log({ sql, parameters }: Statement, runner?: QueryRunner): void {
    this.dataSource.logger.logQuery(sql, parameters as unknown[], runner);
  }

  #results(handle: SqliteHandle, steps: readonly Step[]): readonly Result[] {
    const results: Result[] = [];
    for (const step of steps) {
      const statement = typeof step === 'function' ? step(results) : step;
      results.push(statement === null ? NOTHING_DONE : this.run(handle, statement));
    }
    return results;
  }

  #runUnlogged(handle: SqliteHandle, statement: Statement): Result {
    try {
      return runPrepared(handle, statement);
    } catch (error) {
      if (this.staging?.isMissing(error) !== true) throw error;
      handle.exec(this.staging.creation);
      return runPrepared(handle, statement);
    }
  }
}

function runPrepared(handle: SqliteHandle, { sql, parameters }: Statement): Result {
  const prepared = prepare(handle, sql);
  if (!prepared.reader) return { rows: [], affected: prepared.run(...parameters).changes };
  const rows = prepared.all(...parameters);
  return { rows, affected: rows.length };
}
