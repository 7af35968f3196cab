import { FaultLog } from '../../common/index.js';
import type { Row } from '../../database/sql-client.js';
import type { EventStore, HistoryPlace, StoredEvents } from '../../dispatch/index.js';
import type { Message } from '../../message/index.js';
import type { OutboxSettings } from '../model/outbox-options.js';
import { DAY } from '../retention/retention-limits.js';
import type { OutboxStore } from '../store/outbox-store.js';
import type { HistoryTable } from '../store/history-table.js';

/** The history of events in the database of the outbox. */
export class OutboxHistory implements EventStore {
  readonly keptFor: number;
  readonly #faults = new FaultLog();

  /** @param ready resolves when the database can be used */
  constructor(
    private readonly store: OutboxStore,
    private readonly table: HistoryTable,
    { retentionDays, payloadDays }: OutboxSettings,
    private readonly ready: () => Promise<void>,
  ) {
    this.keptFor = Math.floor(Math.min(retentionDays, payloadDays) * DAY);
  }

  async read(after: HistoryPlace | null, limit: number): Promise<StoredEvents> {
    await this.ready();
    return this.table.read(after, limit);
  }

  async end(): Promise<HistoryPlace> {
    await this.ready();
    return this.table.end();
  }

  async bodies(ids: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    const bodies = new Map<string, Buffer>();
    for (const row of await this.store.messages.load(ids)) {
      // The subscribers of the message alone may be sealed with a key that is gone, and are not needed.
      const message = this.#messageOf({ ...row, recipients: '[]' });
      if (message !== null) bodies.set(message.id, message.json);
    }
    return bodies;
  }

  /** A row that was damaged does not end the history before it. */
  #messageOf(row: Row): Message | null {
    try {
      return this.store.rows.messageOf(row);
    } catch (error) {
      this.#faults.report('Reading a message of the history failed', error);
      return null;
    }
  }
}
