import type { DataSource, QueryRunner } from 'typeorm';
import { prepare, type SqliteHandle } from './sqlite-handle.js';
import type { Statement } from '../database/dialect.js';
import { NOTHING_DONE, type Result, type Step } from '../database/sql-client.js';

/** Runs statements on connections of SQLite: prepared, and told to the application's log. */
export class SqliteStatements {
  constructor(private readonly dataSource: DataSource) {}

  transaction(handle: SqliteHandle, steps: readonly Step[]): readonly Result[] {
    if (steps.length === 1) return this.#results(handle, steps);
    handle.exec('BEGIN IMMEDIATE');
    try {
      const results = this.#results(handle, steps);
      handle.exec('COMMIT');
      return results;
    } catch (error) {
      if (handle.inTransaction) handle.exec('ROLLBACK');
      throw error;
    }
  }

  run(handle: SqliteHandle, { sql, parameters }: Statement, runner?: QueryRunner): Result {
    this.dataSource.logger.logQuery(sql, parameters as unknown[], runner);
    const prepared = prepare(handle, sql);
    if (!prepared.reader) return { rows: [], affected: prepared.run(...parameters).changes };
    const rows = prepared.all(...parameters);
    return { rows, affected: rows.length };
  }

  #results(handle: SqliteHandle, steps: readonly Step[]): readonly Result[] {
    const results: Result[] = [];
    for (const step of steps) {
      const statement = typeof step === 'function' ? step(results) : step;
      results.push(statement === null ? NOTHING_DONE : this.run(handle, statement));
    }
    return results;
  }
}
