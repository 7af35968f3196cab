import type { ReportedTables } from '../../capture/index.js';
import type { SqlStore } from '../../database/sql-store.js';
import { CapturedTables } from '../../database/triggers/captured-tables.js';
import type { FanOut } from '../../dispatch/index.js';

/** Tells the triggers of one database which tables have an event that a subscriber may get. */
export class HeardTables {
  readonly #captured: CapturedTables;
  /** Of the subscribers that this process knows; see {@link CapturedTables.revision}. */
  #revision: number | undefined;

  /** @param isOfSubscribers true when subscribers are stored in this database, and make tables heard as they are stored */
  constructor(
    database: SqlStore,
    private readonly reported: ReportedTables,
    private readonly fanOut: FanOut,
    private readonly isOfSubscribers: boolean,
  ) {
    this.#captured = new CapturedTables(database);
  }

  /** Makes the tables known to all processes; heard those whose events somebody may get. */
  async declare(): Promise<void> {
    await this.fanOut.refresh();
    for (const { name } of this.reported.tables) {
      const events = this.reported.eventsOf(name).map((event) => event.name);
      await this.#captured.declare(name, events, this.#isHeard(name));
    }
  }

  /** Reads the subscribers again where one was stored since: this process then knows all that may get an event of a table. */
  async freshen(): Promise<void> {
    const revision = await this.#captured.revision();
    if (revision === this.#revision) return;
    await this.fanOut.refresh();
    this.#revision = revision;
  }

  /**
   * Lets the triggers of tables write nothing whose events nobody would get.
   *
   * @returns false when that could not be said of a table, and is worth another try soon
   */
  async silence(): Promise<boolean> {
    if (!this.isOfSubscribers) return true;
    // Before the subscribers are read: a subscription in between changes it, and the table stays heard.
    const revision = await this.#captured.revision();
    const captured = await this.#captured.list();
    await this.fanOut.refresh();
    const own = new Set(this.reported.tables.map(({ name }) => name));
    let isDone = true;
    for (const { name, isHeard } of captured) {
      if (!isHeard || !own.has(name) || this.#isHeard(name)) continue;
      if (!(await this.#captured.silence(name, revision))) isDone = false;
    }
    return isDone;
  }

  #isHeard(table: string): boolean {
    return !this.isOfSubscribers || this.reported.mayBeHeard(table);
  }
}
