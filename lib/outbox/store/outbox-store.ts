import type { DataSource } from 'typeorm';
import { DatabaseRateLimiter } from '../rate-limit/database-rate-limiter.js';
import { dialectOf } from '../database/dialect.js';
import { DeliveryTable } from '../tables/delivery-table.js';
import { HealthTable } from '../tables/health-table.js';
import { type Holding, Holdings, type MessageHolding } from './held-leases.js';
import { LogTable } from '../tables/delivery-log-table.js';
import type { MessageRows } from '../tables/message-row-mapper.js';
import { MessageTable } from '../tables/message-table.js';
import type { OutboxDatabase } from '../database/outbox-database.js';
import { PooledDatabase } from '../database/pooled-database.js';
import { Pruning } from '../retention/pruning.js';
import { type OutcomesWritten, Recorder } from './outcome-recorder.js';
import { Removal } from '../retention/message-removal.js';
import { Retention } from '../retention/retention-sweeper.js';
import { RevivalTable } from '../tables/requeue-table.js';
import { SealedMessages } from '../tables/message-resealer.js';
import type { OutboxSettings } from '../model/outbox-options.js';
import { Settlement } from '../tables/outcome-statements.js';
import { SqliteDatabase } from '../database/sqlite-database.js';
import { tableNames } from '../entities/table-names.js';
import type { KeepsAttempt } from '../model/outcome.js';

const MOST_UNWRITTEN = 10_000;

/** Everything of one data source: its tables, what this process holds of them, and what it has yet to write. */
export class Shard {
  readonly database: OutboxDatabase;
  readonly messages: MessageTable;
  readonly deliveries: DeliveryTable;
  readonly health: HealthTable;
  readonly log: LogTable;
  readonly revivals: RevivalTable;
  readonly rateLimiter: DatabaseRateLimiter;
  readonly retention: Retention;
  readonly pruning: Pruning;
  readonly sealed: SealedMessages;
  readonly recorder: Recorder;
  readonly heldMessages: Holdings<MessageHolding>;
  readonly heldDeliveries: Holdings<Holding>;

  /** @throws {@link ThornConfigurationError} when the data source lacks the entities, or its kind is not supported */
  constructor(
    readonly dataSource: DataSource,
    readonly rows: MessageRows,
    settings: OutboxSettings,
    keeps: KeepsAttempt,
    written: OutcomesWritten,
  ) {
    const { name } = dialectOf(dataSource);
    this.database =
      name === 'sqlite'
        ? new SqliteDatabase(dataSource)
        : new PooledDatabase(dataSource, settings.queryTimeout);
    const tables = tableNames(dataSource);
    this.messages = new MessageTable(this.database, tables, rows);
    this.deliveries = new DeliveryTable(this.database, tables);
    this.health = new HealthTable(this.database, tables);
    this.log = new LogTable(this.database, tables);
    this.revivals = new RevivalTable(this.database, tables);
    const removal = new Removal(this.database, tables);
    this.retention = new Retention(this.database, tables, removal, settings);
    this.pruning = new Pruning(this.database, tables, removal, settings);
    this.sealed = new SealedMessages(this.database, tables, rows);
    this.rateLimiter = new DatabaseRateLimiter(this.database, tables.rateLimits);
    this.heldMessages = new Holdings((held, until) => this.messages.renew(held, until));
    this.heldDeliveries = new Holdings((held, until) => this.deliveries.renew(held, until));
    this.recorder = new Recorder(
      this.database,
      new Settlement(this.database.dialect, tables, keeps),
      // Half of the window, so that the other half goes on meanwhile.
      Math.max(1, Math.floor(settings.window / 2)),
      (outcomes, finished) => {
        for (const held of finished) this.heldMessages.remove(held);
        for (const { id, lease, isNew } of outcomes) {
          if (!isNew) this.heldDeliveries.remove({ id, lease });
        }
        written(outcomes, finished);
      },
    );
  }

  /**
   * Outcomes that a crash would lose now. Does not count them, up to a limit, while SQLite is locked by a long transaction
   * of the application: then deliveries go on.
   */
  get unwritten(): number {
    const { size } = this.recorder;
    const isLocked = this.database instanceof SqliteDatabase && this.database.isHeldUp;
    return isLocked && size < MOST_UNWRITTEN ? 0 : size;
  }

  /** Puts off every lease that has less than two thirds of its time left. */
  async renewLeases(now: number, lease: number): Promise<void> {
    const [before, until] = [now + Math.floor((lease * 2) / 3), now + lease];
    await this.heldMessages.renew(before, until);
    await this.heldDeliveries.renew(before, until);
  }

  /** Writes what is known, and lets other processes take at once what this one still holds. */
  async giveUp(now: number): Promise<void> {
    await this.recorder.flush();
    const [messages, deliveries] = [this.heldMessages.all(), this.heldDeliveries.all()];
    if (messages.length > 0) await this.messages.release(messages, now);
    if (deliveries.length > 0) await this.deliveries.release(deliveries, now);
  }
}
