import type { Message } from '../../message/index.js';
import { HealthTable } from '../tables/health-table.js';
import { HistoryTable } from './history-table.js';
import { type HeldLease, HeldLeases, type HeldMessage } from './held-leases.js';
import type { MessageRowMapper } from '../tables/message-row-mapper.js';
import { MessageTable } from '../tables/message-table.js';
import type { Dialect } from '../../database/dialect.js';
import type { SqlStore } from '../../database/sql-store.js';
import { createStore } from '../../database/pooled-store.js';
import type { SqlClient } from '../../database/sql-client.js';
import { checkSqlMode, ensureTextColumns } from './mysql-checks.js';
import { RetentionPass } from '../retention/retention-pass.js';
import { type Entry, OutcomeRecorder, type WriteFollower } from '../record/outcome-recorder.js';
import { MessageRemoval } from '../retention/message-removal.js';
import { MessageStates } from '../retention/message-states.js';
import { RetentionSweeper } from '../retention/retention-sweeper.js';
import { MessageResealer } from '../tables/message-resealer.js';
import type { CheckedOutboxOptions } from '../outbox-options.js';
import { OutcomeStatements } from '../record/outcome-statements.js';
import { BulkOperations } from '../tables/bulk-operations.js';
import { type TableNames, tableNames } from '../tables/table-names.js';
import { type Finished, Leases, type NewLease } from '../tables/leases.js';
import type { AttemptFilter, Outcome } from '../outcome.js';

const MOST_UNWRITTEN = 10_000;

/** How many messages this process holds at most before it stops claiming messages and taking tickets. */
export const MOST_HELD_TO_CLAIM = 5000;

/** How many messages this process holds at most before it leaves its own new messages in the database. */
export const MOST_HELD_TO_HAND_OVER = 10_000;

/** The outbox in one database: its tables, the leases that this process holds, and the outcomes it has yet to write. */
export class OutboxStore {
  readonly database: SqlStore;
  readonly tables: TableNames;
  readonly messages: MessageTable;
  /** Null without the option `history`. */
  readonly history: HistoryTable | null;
  /** The leases on deliveries. Those on messages are in {@link messages}. */
  readonly deliveryLeases: Leases;
  readonly bulkOperations: BulkOperations;
  readonly health: HealthTable;
  readonly retention: RetentionSweeper;
  readonly pruning: RetentionPass;
  readonly sealed: MessageResealer;
  readonly recorder: OutcomeRecorder;
  readonly heldMessages: HeldLeases<HeldMessage>;
  readonly heldDeliveries: HeldLeases<HeldLease>;

  /**
   * @param afterWrite makes the steps that follow when a set of outcomes of the store is written
   * @throws {@link ThornConfigurationError} when the client does not know the tables, or its database is not supported
   */
  constructor(
    readonly client: SqlClient<never>,
    readonly rows: MessageRowMapper,
    private readonly settings: CheckedOutboxOptions,
    filter: AttemptFilter,
    afterWrite: (store: OutboxStore) => WriteFollower,
  ) {
    this.database = createStore(client, settings.queryTimeout);
    const tables = tableNames(this.database);
    this.tables = tables;
    this.deliveryLeases = new Leases(this.database, tables.deliveries, 'dlv_');
    this.bulkOperations = new BulkOperations(this.database, tables);
    this.messages = new MessageTable(this.database, tables, rows, settings.history !== null);
    this.history =
      settings.history &&
      new HistoryTable(this.database, tables, this.messages, rows, settings, settings.history.lag);
    this.health = new HealthTable(this.database, tables);
    const removal = new MessageRemoval(this.database, tables);
    const states = new MessageStates(this.database, tables);
    this.pruning = new RetentionPass(states, removal, settings);
    this.retention = new RetentionSweeper(this.pruning);
    this.sealed = new MessageResealer(this.database, tables, rows);
    this.heldMessages = new HeldLeases(this.messages.leases);
    this.heldDeliveries = new HeldLeases(this.deliveryLeases);
    this.recorder = new OutcomeRecorder(
      this.database,
      new OutcomeStatements(this, filter),
      // Half of the window, so that the other half goes on meanwhile.
      Math.max(1, Math.floor(settings.window / 2)),
      afterWrite(this),
    );
  }

  get dialect(): Dialect {
    return this.database.dialect;
  }

  /** Opens the database. Called before anything else. */
  async open(): Promise<void> {
    await this.database.open();
    if (this.client.dialect.name !== 'mysql') return;
    await checkSqlMode(this.database);
    await ensureTextColumns(this.database);
  }

  /** Forgets the leases of deliveries and messages whose outcomes are written. */
  forgetLeases(outcomes: readonly Outcome[], finished: readonly Finished[]): void {
    for (const held of finished) this.heldMessages.remove(held);
    for (const { id, lease, isNew } of outcomes) {
      if (!isNew) this.heldDeliveries.remove({ id, token: lease });
    }
  }

  /** Lets a delivery be made once more, because its outcome cannot be written. */
  makeOnceMore(entry: Entry): void {
    if ('finished' in entry) return this.heldMessages.remove(entry.finished);
    const { id, messageId, lease, isNew, at } = entry.outcome;
    if (!isNew) return this.heldDeliveries.remove({ id, token: lease });
    const message = this.heldMessages.get(messageId);
    // The delivery has no row. The message is looked at again at its end, and subscribers without a row get it once more.
    if (message !== undefined) message.againAt ??= at + this.settings.lease;
  }

  /**
   * The number of outcomes that a crash would lose now. While a long transaction of the application locks SQLite it is 0 up to a
   * limit, so that deliveries go on.
   */
  get unwritten(): number {
    const { size } = this.recorder;
    return this.database.isHeldUp && size < MOST_UNWRITTEN ? 0 : size;
  }

  /** Renews every lease that has less than four fifths of its time left. */
  async renewLeases(now: number, lease: number): Promise<void> {
    const [before, until] = [now + Math.floor((lease * 4) / 5), now + lease];
    await this.heldMessages.renew(before, until);
    await this.heldDeliveries.renew(before, until);
  }

  /** Writes all outcomes, and releases the leases that this process still holds, so that others can claim at once. */
  async giveUp(now: number): Promise<void> {
    await this.recorder.flush();
    const [messages, deliveries] = [this.heldMessages.all(), this.heldDeliveries.all()];
    if (messages.length > 0) await this.messages.leases.release(messages, now);
    if (deliveries.length > 0) await this.deliveryLeases.release(deliveries, now);
  }
}

/** A released message, with the lease of its row. */
export interface StagedMessage extends Staged {
  readonly message: Message;
}

/** The lease of a message that is written and not released yet. */
export interface Staged extends NewLease {
  /** Pending while a transaction that the message had to join is open; null for none. */
  readonly joined: Promise<void> | null;
}
