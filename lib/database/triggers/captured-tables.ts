import { setTimeout as sleep } from 'node:timers/promises';
import { ThornError } from '../../errors/index.js';
import { isLockTimeout } from '../database-errors.js';
import type { Statement } from '../dialect.js';
import type { Result, SqlTables, Step } from '../sql-client.js';
import { tableLock } from './table-lock.js';

/** A row of `thorn_captured_tables`. */
export interface CapturedTable {
  /** The name that the declaration gives the table. */
  readonly name: string;
  /** The names of its events, as they were declared. */
  readonly events: readonly string[];
  /** False: its triggers write nothing down. */
  readonly isHeard: boolean;
  /** Another one after each subscription to one of its events. */
  readonly revision: number;
}

const LOCK_WITHIN = 1000;
const MOST_TRIES = 5;

/** Thrown when nobody can be subscribed to the events of a table, because a transaction that writes to it stays open. */
export class TableLockedError extends ThornError {
  readonly code = 'THORN_TABLE_LOCKED';

  constructor(cause: unknown) {
    super(
      `The subscriber was not stored: it is the first to subscribe to events of a table, and a transaction that writes to this table has been open for ${(LOCK_WITHIN * MOST_TRIES) / 1000} s. Try again, and keep transactions short.`,
      {},
      cause,
    );
  }
}

/**
 * The SQL on `thorn_captured_tables`: the tables with triggers, and whether anybody hears them.
 *
 * A change that commits after a subscription is told. The trigger of a table that nobody hears holds a lock until its
 * transaction ends, and the subscription waits for that lock. So a writer whose change was not written down has ended before
 * the subscriber is stored.
 */
export class CapturedTables {
  readonly #table: string;

  constructor(private readonly database: SqlTables) {
    this.#table = database.table('thorn_captured_tables');
  }

  async list(): Promise<readonly CapturedTable[]> {
    const { rows } = await this.database.run(this.#listing());
    return rows.map(read);
  }

  /** A number that grows with each subscription to an event of a table. */
  async revision(): Promise<number> {
    const sql = `SELECT SUM(revision) AS total FROM ${this.#table}`;
    const { rows } = await this.database.run({ sql, parameters: [], answersRows: true });
    return Number(rows[0]!['total']);
  }

  /** Makes a table known to all processes, and heard where its events are new. @param isHeard true: heard in any case */
  async declare(name: string, events: readonly string[], isHeard: boolean): Promise<void> {
    const text = JSON.stringify(events);
    const known = (await this.list()).find((table) => table.name === name);
    if (known === undefined) {
      const columns = ['name', 'heard', 'events', 'revision'];
      const sql = this.database.dialect.insertNew(this.#table, columns, 'VALUES (?, TRUE, ?, 1)');
      await this.database.run({ sql, parameters: [name, text] });
      return;
    }
    const isSame = JSON.stringify(known.events) === text;
    if (isSame && (known.isHeard || !isHeard)) return;
    const update = {
      sql: `UPDATE ${this.#table} SET events = ? WHERE name = ?`,
      parameters: [text, name],
    };
    await this.execute([...this.hear((table) => table.name === name), update]);
  }

  /**
   * Steps of a transaction that make tables heard: once it commits, their triggers write changes down.
   *
   * @param isWanted chooses the tables
   */
  hear(isWanted: (table: CapturedTable) => boolean): Step[] {
    const { name: dialect } = this.database.dialect;
    let wanted: readonly string[] = [];
    const ifAny = (statement: () => Statement | null) => () =>
      wanted.length === 0 ? null : statement();
    const update = ifAny(() => ({
      sql: `UPDATE ${this.#table} SET heard = TRUE, revision = revision + 1 WHERE name IN (${marks(wanted)})`,
      parameters: wanted,
    }));
    const choose = (before: readonly Result[]) => {
      const tables = before.at(-1)!.rows.map(read).filter(isWanted);
      // In one order everywhere, so that two transactions never wait for each other.
      wanted = tables.map(({ name }) => name).sort();
      return null;
    };
    const list = this.#listing();
    if (dialect === 'sqlite') return [list, choose, update];
    const lockRows = ifAny(() => ({
      sql: `SELECT name, heard FROM ${this.#table} WHERE name IN (${marks(wanted)}) ORDER BY name FOR UPDATE${dialect === 'mysql' ? ` /*M!100300 WAIT ${LOCK_WITHIN / 1000} */` : ''}`,
      parameters: wanted,
      answersRows: true,
    }));
    if (dialect === 'mysql') return [list, choose, lockRows, update];
    const limit = ifAny(() => ({
      sql: `SELECT set_config('lock_timeout', '${LOCK_WITHIN}', TRUE)`,
      parameters: [],
      answersRows: true,
    }));
    const lockTables = (before: readonly Result[]): Statement | null => {
      const silent = before.at(-1)!.rows.filter(({ heard }) => !isTrue(heard));
      if (silent.length === 0) return null;
      const locks = silent.map(
        ({ name }) => `SELECT pg_advisory_xact_lock(${tableLock(String(name))})`,
      );
      return { sql: locks.join(' UNION ALL '), parameters: [], answersRows: true };
    };
    return [list, choose, limit, lockRows, lockTables, update];
  }

  /** Runs steps with some of {@link hear} among them, in one transaction. @throws {@link TableLockedError} */
  async execute(steps: readonly Step[]): Promise<readonly Result[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.database.execute(steps);
      } catch (error) {
        if (!isLockTimeout(error)) throw error;
        if (tries === MOST_TRIES) throw new TableLockedError(error);
        // Writers that have waited behind the subscription go first.
        await sleep(Math.random() * 100);
      }
    }
  }

  /** Lets the triggers of a table write nothing down, unless somebody has subscribed since it was read. */
  async silence({ name, revision }: CapturedTable): Promise<void> {
    const sql = `UPDATE ${this.#table} SET heard = FALSE WHERE name = ? AND revision = ?`;
    await this.database.run({ sql, parameters: [name, revision] });
  }

  #listing(): Statement {
    return {
      sql: `SELECT name, heard, events, revision FROM ${this.#table}`,
      parameters: [],
      answersRows: true,
    };
  }
}

function read({ name, heard, events, revision }: Result['rows'][number]): CapturedTable {
  return {
    name: String(name),
    events: JSON.parse(String(events)) as readonly string[],
    isHeard: isTrue(heard),
    revision: Number(revision),
  };
}

/** Not all drivers know booleans. */
function isTrue(value: unknown): boolean {
  return Number(value) === 1;
}

function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}
