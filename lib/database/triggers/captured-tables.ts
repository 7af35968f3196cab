import { setTimeout as sleep } from 'node:timers/promises';
import { ThornError } from '../../errors/index.js';
import { isLockTimeout } from '../database-errors.js';
import type { Statement } from '../dialect.js';
import { readRows, type Result, type SqlTables, type Step } from '../sql-client.js';
import {
  type CapturedTableRow,
  insertTable,
  limitLockTime,
  LOCK_WITHIN,
  lockShared,
  lockToHear,
  lockToSilence,
  lockWriters,
  selectTables,
  silenceTable,
  updateEvents,
  updateHeard,
} from './captured-table-statements.js';
import { insertChangesLease, raiseRevision, selectRevision } from './changes-lease.js';

/** A row of `thorn_captured_tables`. */
export interface CapturedTable {
  /** The name that the declaration gives the table. */
  readonly name: string;
  /** The names of its events, as they were declared. */
  readonly events: readonly string[];
  /** False: its triggers write nothing down. */
  readonly isHeard: boolean;
}

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
 * The rows of `thorn_captured_tables`: the tables with triggers, and whether any subscriber hears their events.
 *
 * A change that commits after a subscription is told. The trigger of a table that nobody hears holds a lock until its
 * transaction ends, and the subscription waits for that lock. So a writer whose change was not written down has ended
 * before the subscriber is stored.
 *
 * Where a table is heard already, a subscription waits for no writer: it locks the row shared, as triggers on MariaDB
 * do, so that the table stays heard until the subscriber is stored.
 */
export class CapturedTables {
  constructor(private readonly database: SqlTables) {}

  async list(): Promise<readonly CapturedTable[]> {
    return (await readRows(this.database, selectTables(this.database))).map(read);
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
      // Inserted before the table can be subscribed to, because each subscription raises the revision in this row.
      await this.database.run(insertChangesLease(this.database));
      await this.database.run(insertTable(this.database, name, text));
      return;
    }
    const isSame = JSON.stringify(known.events) === text;
    if (isSame && (known.isHeard || !isHeard)) return;
    const update = updateEvents(this.database, name, text);
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
    const { database } = this;
    const { name: dialect } = database.dialect;
    let wanted: readonly CapturedTable[] = [];
    let written: readonly string[] = [];
    const kept = () => wanted.map(({ name }) => name).filter((name) => !written.includes(name));
    const onAny =
      (names: () => readonly string[], build: (names: readonly string[]) => Statement): Step =>
      () =>
        names().length === 0 ? null : build(names());
    const choose = (before: readonly Result[]) => {
      wanted = rowsIn(before).map(read).filter(isWanted);
      written = wanted.filter(isWritten).map(({ name }) => name);
      return null;
    };
    const list = selectTables(database);
    const update = onAny(
      () => written,
      (names) => updateHeard(database, names),
    );
    const count = () => (wanted.length === 0 ? null : raiseRevision(database));
    if (dialect === 'sqlite') return [list, choose, update, count];
    const chooseAgain = (before: readonly Result[]) => {
      // Silenced since it was listed.
      written = [...written, ...silentIn(before)];
      return null;
    };
    const lockKept = onAny(kept, (names) => lockShared(database, names));
    const lockWritten = onAny(
      () => written,
      (names) => lockToHear(database, names),
    );
    if (dialect === 'mysql') {
      return [list, choose, lockKept, chooseAgain, lockWritten, update, count];
    }
    const limit = () => (wanted.length === 0 ? null : limitLockTime());
    const lockTables = (before: readonly Result[]): Statement | null => {
      const silent = silentIn(before);
      return silent.length === 0 ? null : lockWriters(silent);
    };
    const locks = [limit, lockKept, chooseAgain, lockWritten, lockTables];
    return [list, choose, ...locks, update, count];
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
    const { database } = this;
    const update = (before: readonly Result[]) =>
      revisionIn(before.at(-1)!.rows) === revision ? silenceTable(database, name) : null;
    // Read behind the lock: an earlier subscription has raised the revision, and a later one finds the table silent.
    const steps = [
      ...(database.dialect.name === 'sqlite' ? [] : [lockToSilence(database, name)]),
      selectRevision(database),
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
}

function revisionIn(rows: Result['rows']): number {
  return Number(rows[0]?.['revision'] ?? 0);
}

function read({ name, heard, events }: CapturedTableRow): CapturedTable {
  return {
    name,
    events: JSON.parse(events) as readonly string[],
    // Not all drivers know booleans.
    isHeard: Number(heard) === 1,
  };
}

/** The rows that the latest of some steps has answered. */
function rowsIn(before: readonly Result[]): readonly CapturedTableRow[] {
  return (before.at(-1) as Result<CapturedTableRow>).rows;
}

function silentIn(before: readonly Result[]): readonly string[] {
  return rowsIn(before)
    .map(read)
    .filter(({ isHeard }) => !isHeard)
    .map(({ name }) => name);
}
