import { setTimeout as sleep } from 'node:timers/promises';
import { ThornError } from '../../errors/index.js';
import { isLockTimeout } from '../database-errors.js';
import type { Statement } from '../dialect.js';
import type { Result, SqlTables, Step } from '../sql-client.js';
import { insertChangesLease, raiseRevision, selectRevision } from './changes-lease.js';
import { tableLock } from './trigger-parts.js';

/** A row of `thorn_captured_tables`. */
export interface CapturedTable {
  /** The name that the declaration gives the table. */
  readonly name: string;
  /** The names of its events, as they were declared. */
  readonly events: readonly string[];
  /** False: its triggers write nothing down. */
  readonly isHeard: boolean;
}

const LOCK_WITHIN = 1000;
const MOST_TRIES = 5;

/**
 * Thrown when a subscriber for the events of a table cannot be stored, because a transaction that writes to the table
 * stays open.
 */
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
 * The SQL on `thorn_captured_tables`: the tables with triggers, and whether any subscriber hears their events.
 *
 * A change that commits after a subscription is told. The trigger of a table that nobody hears holds a lock until its
 * transaction ends, and the subscription waits for that lock. So a writer whose change was not written down has ended
 * before the subscriber is stored.
 *
 * Where a table is heard already, a subscription waits for no writer: it locks the row shared, as triggers on MariaDB
 * do, so that the table stays heard until the subscriber is stored.
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
    const { rows } = await this.database.run(selectRevision(this.database));
    return revisionIn(rows);
  }

  /** Makes a table known to all processes, and heard where its events are new. @param isHeard true: heard in any case */
  async declare(name: string, events: readonly string[], isHeard: boolean): Promise<void> {
    const text = JSON.stringify(events);
    const known = (await this.list()).find((table) => table.name === name);
    if (known === undefined) {
      const columns = ['name', 'heard', 'events'];
      const sql = this.database.dialect.insertNew(this.#table, columns, 'VALUES (?, TRUE, ?)');
      // Inserted before the table can be subscribed to, because each subscription raises the revision in this row.
      await this.database.run(insertChangesLease(this.database));
      await this.database.run({ sql, parameters: [name, text] });
      return;
    }
    const isSame = JSON.stringify(known.events) === text;
    if (isSame && (known.isHeard || !isHeard)) return;
    const update = {
      sql: `UPDATE ${this.#table} SET events = ? WHERE name = ?`,
      parameters: [text, name],
    };
    const isThis = (table: CapturedTable) => table.name === name;
    await this.execute([...this.#hear(isThis, isThis), update]);
  }

  /**
   * Steps of a transaction that make tables heard: once it commits, their triggers write changes down.
   *
   * @param isWanted chooses the tables
   */
  hear(isWanted: (table: CapturedTable) => boolean): Step[] {
    return this.#hear(isWanted, ({ isHeard }) => !isHeard);
  }

  /** @param isWritten chooses, among the tables, those whose rows are written: writers may have to be waited for */
  #hear(
    isWanted: (table: CapturedTable) => boolean,
    isWritten: (table: CapturedTable) => boolean,
  ): Step[] {
    const { name: dialect } = this.database.dialect;
    let wanted: readonly CapturedTable[] = [];
    let written: readonly string[] = [];
    const onAny =
      (names: () => readonly string[], sql: string, end = '') =>
      (): Statement | null =>
        names().length === 0
          ? null
          : { sql: `${sql} WHERE name IN (${marks(names())})${end}`, parameters: names() };
    const lock = (names: () => readonly string[], how: string): Step => {
      const wait = dialect === 'mysql' ? ` /*M!100300 WAIT ${LOCK_WITHIN / 1000} */` : '';
      // Without the index hint MariaDB would lock all rows of a small table, which writers of other tables hold.
      const from = `${this.#table}${dialect === 'mysql' ? ' FORCE INDEX (PRIMARY)' : ''}`;
      const select = `SELECT name, heard, events FROM ${from}`;
      // Always in the same order, so that two transactions rarely wait for each other.
      const rows = onAny(names, select, ` ORDER BY name ${how}${wait}`);
      return () => {
        const statement = rows();
        return statement && { ...statement, answersRows: true };
      };
    };
    const choose = (before: readonly Result[]) => {
      wanted = before.at(-1)!.rows.map(read).filter(isWanted);
      written = wanted.filter(isWritten).map(({ name }) => name);
      return null;
    };
    const update = onAny(() => written, `UPDATE ${this.#table} SET heard = TRUE`);
    const count = () => (wanted.length === 0 ? null : raiseRevision(this.database));
    if (dialect === 'sqlite') return [this.#listing(), choose, update, count];
    const kept = () => wanted.map(({ name }) => name).filter((name) => !written.includes(name));
    const chooseAgain = (before: readonly Result[]) => {
      // Silenced since it was listed.
      written = [...written, ...silentIn(before.at(-1)!)];
      return null;
    };
    // With a weaker lock on PostgreSQL, the FOR KEY SHARE of a writer with an older snapshot would not fail.
    const lockWritten = lock(() => written, 'FOR UPDATE');
    if (dialect === 'mysql') {
      const lockKept = lock(kept, 'LOCK IN SHARE MODE');
      return [this.#listing(), choose, lockKept, chooseAgain, lockWritten, update, count];
    }
    const limit = () =>
      wanted.length === 0
        ? null
        : {
            sql: `SELECT set_config('lock_timeout', '${LOCK_WITHIN}', TRUE)`,
            parameters: [],
            answersRows: true,
          };
    const lockTables = (before: readonly Result[]): Statement | null => {
      const silent = silentIn(before.at(-1)!);
      if (silent.length === 0) return null;
      const locks = silent.map((name) => `SELECT pg_advisory_xact_lock(${tableLock(name)})`);
      return { sql: locks.join(' UNION ALL '), parameters: [], answersRows: true };
    };
    const lockKept = lock(kept, 'FOR SHARE');
    const locks = [limit, lockKept, chooseAgain, lockWritten, lockTables];
    return [this.#listing(), choose, ...locks, update, count];
  }

  /** Runs steps in one transaction, with the steps of {@link hear} among them. @throws {@link TableLockedError} */
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

  /**
   * Lets the triggers of a table write nothing down, unless somebody has subscribed since a revision was read.
   *
   * @returns false when the row is locked: somebody subscribes, or writes to the table on MariaDB
   */
  async silence(name: string, revision: number): Promise<boolean> {
    const { dialect } = this.database;
    const how = dialect.name === 'postgres' ? 'FOR NO KEY UPDATE' : 'FOR UPDATE';
    const lock = {
      sql: `SELECT 1 FROM ${this.#table} WHERE name = ? ${how} NOWAIT`,
      parameters: [name],
      answersRows: true,
    };
    const update = (before: readonly Result[]): Statement | null => {
      if (revisionIn(before.at(-1)!.rows) !== revision) return null;
      return { sql: `UPDATE ${this.#table} SET heard = FALSE WHERE name = ?`, parameters: [name] };
    };
    // Read behind the lock: an earlier subscription has raised the revision, and a later one finds the table silent.
    const steps = [
      ...(dialect.name === 'sqlite' ? [] : [lock]),
      selectRevision(this.database),
      update,
    ];
    try {
      await this.database.execute(steps);
      return true;
    } catch (error) {
      if (isLockTimeout(error)) return false;
      throw error;
    }
  }

  #listing(): Statement {
    return {
      sql: `SELECT name, heard, events FROM ${this.#table}`,
      parameters: [],
      answersRows: true,
    };
  }
}

function revisionIn(rows: Result['rows']): number {
  return Number(rows[0]?.['revision'] ?? 0);
}

function read({ name, heard, events }: Result['rows'][number]): CapturedTable {
  return {
    name: String(name),
    events: JSON.parse(String(events)) as readonly string[],
    // Not all drivers know booleans.
    isHeard: Number(heard) === 1,
  };
}

function silentIn({ rows }: Result): readonly string[] {
  return rows
    .map(read)
    .filter(({ isHeard }) => !isHeard)
    .map(({ name }) => name);
}

function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}
