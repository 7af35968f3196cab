import type { SqliteHandle } from './sqlite-handle.js';
import type { SqliteRunner } from './sqlite-runner.js';

/** Prepared statements belong to the connection, not to one of its query runners: gives all of them the same. */
export class SharedStatements {
  #known: { readonly handle: SqliteHandle | undefined; readonly cache: unknown } | undefined;

  /** Gives a new query runner the statements of its connection. */
  shareWith(runner: SqliteRunner, handle: SqliteHandle | undefined): void {
    if (runner.stmtCache === undefined) return;
    if (this.#known === undefined || this.#known.handle !== handle) {
      this.#known = { handle, cache: runner.stmtCache };
    }
    runner.stmtCache = this.#known.cache;
  }

  /** True when the statements of a query runner are those of this connection. */
  areOf({ stmtCache }: SqliteRunner, handle: SqliteHandle | undefined): boolean {
    const known = this.#known;
    return stmtCache !== undefined && stmtCache === known?.cache && handle === known.handle;
  }
}
