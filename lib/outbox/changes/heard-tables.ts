import type { ReportedTables } from '../../capture/index.js';
import type { SqlStore } from '../../database/sql-store.js';
import { type CapturedTable, CapturedTables } from '../../database/triggers/captured-tables.js';
import type { FanOut } from '../../dispatch/index.js';

/** Tells the triggers of the database which tables have an event that a subscriber may get. */
export class HeardTables {
  readonly #captured: CapturedTables;
  /** The revision of the subscribers that this process knows; see {@link CapturedTables.revision}. */
  #revision: number | undefined;
  /** The first event that another version of the application declares on one of the tables, and this process does not. */
  #foreign: string | undefined;

  constructor(
    database: SqlStore,
    private readonly reported: ReportedTables,
    private readonly fanOut: FanOut,
  ) {
    this.#captured = new CapturedTables(database);
  }

  /** Makes the tables known to all processes, and marks those as heard whose events a subscriber may get. */
  async declare(): Promise<void> {
    await this.fanOut.refresh();
    for (const { name } of this.reported.tables) {
      const events = this.reported.eventsOf(name).map((event) => event.name);
      await this.#captured.declare(name, events, this.reported.mayBeHeard(name));
    }
  }

  /** Reads the subscribers again if one was stored since the last time, so that this process knows all of them. */
  async freshen(): Promise<void> {
    const revision = await this.#captured.revision();
    if (revision === this.#revision) return;
    await this.fanOut.refresh();
    this.#foreign = this.#foreignIn(await this.#captured.list());
    this.#revision = revision;
  }

  /**
   * An event that a newer version of the application declares on one of the tables, as of {@link freshen}: this process would
   * lose it, and leaves the changes to that version.
   */
  get foreignEvent(): string | undefined {
    return this.#foreign;
  }

  /**
   * Tells the triggers of tables whose events no subscriber would get to write nothing.
   *
   * @returns false when a table could not be told so yet: try again soon
   */
  async silence(): Promise<boolean> {
    // Before the subscribers are read: a subscription in between changes it, and the table stays heard.
    const revision = await this.#captured.revision();
    const captured = await this.#captured.list();
    if (this.#foreignIn(captured) !== undefined) return true;
    await this.fanOut.refresh();
    const own = new Set(this.reported.tables.map(({ name }) => name));
    let isDone = true;
    for (const { name, isHeard } of captured) {
      if (!isHeard || !own.has(name) || this.reported.mayBeHeard(name)) continue;
      if (!(await this.#captured.silence(name, revision))) isDone = false;
    }
    return isDone;
  }

  #foreignIn(captured: readonly CapturedTable[]): string | undefined {
    for (const { name } of this.reported.tables) {
      const own = new Set(this.reported.eventsOf(name).map((event) => event.name));
      const table = captured.find((one) => one.name === name);
      const foreign = table?.events.find((event) => !own.has(event));
      if (foreign !== undefined) return foreign;
    }
    return undefined;
  }
}
