import { CHANGES } from '../../database/schema/thorn-tables.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { ReportedTable } from '../../database/triggers/reported-table.js';
import type { Write } from '../../database/dialect.js';
import {
  type ChangeRow,
  type ChangesTarget,
  countChanges,
  countFurtherChanges,
  deleteChanges,
  failChanges,
  retryChanges,
  selectFurtherChanges,
  selectOldestChanges,
  selectOtherSources,
  selectRepeatedChange,
} from '../tables/changes.js';
import type { StoredChange } from './change-units.js';

const AT_ONCE = 1000;
const LONGEST_FAULT = 1000;
const MOST_SOURCES = 20;

/** How many changes are in `thorn_changes`. */
export interface ChangeCounts {
  /** Changes that wait for a worker. */
  readonly waiting: number;
  /** Changes of which no message could be made. */
  readonly failed: number;
}

/** The changes that triggers have written to `thorn_changes`. */
export class ChangeTable {
  readonly #target: ChangesTarget;
  readonly #names: readonly string[];
  /** Large transactions that change no row twice: the reader need not look for further changes of their rows. */
  readonly #withoutRepeats = new Set<string>();

  constructor(
    private readonly database: SqlStore,
    private readonly tables: readonly ReportedTable[],
  ) {
    this.#target = { dialect: database.dialect, table: database.table(CHANGES.name) };
    this.#names = tables.map(({ name }) => name);
  }

  /**
   * The oldest changes. On PostgreSQL the later changes of the same rows by the same transactions come with them, so that one
   * message tells what a transaction did to a row.
   */
  async oldest(): Promise<readonly StoredChange[]> {
    const { rows } = await this.database.poll(
      selectOldestChanges(this.#target, this.#names, AT_ONCE),
    );
    const oldest = (rows as readonly unknown[] as readonly ChangeRow[]).map(read);
    if (oldest.length < AT_ONCE || this.database.dialect.name !== 'postgres') return oldest;
    return [...oldest, ...(await this.#further(oldest))];
  }

  /** Removes changes. Runs in the transaction that stores their messages. */
  removal(changes: readonly StoredChange[]): Write {
    return deleteChanges(this.#target, idsOf(changes));
  }

  /** Marks changes of which no message can be made: they stay in the table, and readers pass them over. */
  failure(changes: readonly StoredChange[], fault: string, now: number): Write {
    return failChanges(this.#target, idsOf(changes), fault.slice(0, LONGEST_FAULT), now);
  }

  /** Lets workers try the changes again that have failed. @returns how many */
  async retry(): Promise<number> {
    return (await this.database.run(retryChanges(this.#target))).affected;
  }

  async counts(): Promise<ChangeCounts> {
    const [counted] = (await this.database.run(countChanges(this.#target))).rows;
    const failed = Number(counted!.failed);
    return { waiting: Number(counted!.total) - failed, failed };
  }

  /** The tables of changes that this process knows nothing of. */
  async unknown(): Promise<readonly string[]> {
    const others = selectOtherSources(this.#target, this.#names, MOST_SOURCES);
    return (await this.database.run(others)).rows.map(({ source }) => source);
  }

  async #further(oldest: readonly StoredChange[]): Promise<readonly StoredChange[]> {
    const last = oldest.at(-1)!.id;
    const transactions = new Set(oldest.map(({ transaction }) => transaction!));
    const open: string[] = [];
    for (const { transaction, left } of await this.#goingOn(transactions, last)) {
      if (left > AT_ONCE && !(await this.#repeats(transaction))) {
        this.#withoutRepeats.add(transaction);
      } else open.push(transaction);
    }
    if (open.length === 0) return [];
    const changes = this.tables
      .map((table) => ({ table, ids: idsOf(oldest.filter((one) => one.table === table.name)) }))
      .filter(({ ids }) => ids.length > 0);
    const further = selectFurtherChanges(this.#target, this.#names, changes, last, open);
    return (await this.database.run(further)).rows.map(read);
  }

  /** The transactions that have made further changes, and how many. */
  async #goingOn(transactions: ReadonlySet<string>, last: string) {
    for (const one of this.#withoutRepeats) {
      if (!transactions.has(one)) this.#withoutRepeats.delete(one);
    }
    const asked = [...transactions].filter((one) => !this.#withoutRepeats.has(one));
    if (asked.length === 0) return [];
    const { rows } = await this.database.run(countFurtherChanges(this.#target, last, asked));
    return rows.map(({ tx, left }) => ({ transaction: String(tx), left: Number(left) }));
  }

  /** Whether a transaction has changed a row more than once. */
  async #repeats(transaction: string): Promise<boolean> {
    for (const table of this.tables) {
      const repeated = selectRepeatedChange(this.#target, table, transaction);
      if ((await this.database.run(repeated)).rows.length > 0) return true;
    }
    return false;
  }
}

function idsOf(changes: readonly StoredChange[]): readonly string[] {
  return changes.map(({ id }) => id);
}

function read({ id, tx, source, old_row, new_row }: ChangeRow): StoredChange {
  return {
    id: String(id),
    transaction: tx === null ? null : String(tx),
    table: source,
    before: old_row,
    after: new_row,
  };
}
