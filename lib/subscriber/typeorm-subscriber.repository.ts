import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Clock } from '../common/clock.js';
import { SubscriberMirror } from './subscriber-mirror.js';
import { fromRow, toColumns, toRow } from './subscriber-row.js';
import { SubscriberTable } from './subscriber-table.js';
import type { ThornSubscriber } from './subscriber.entity.js';
import {
  type MatchCriteria,
  type SubscriberPage,
  SubscriberRepository,
} from './subscriber.repository.js';
import type { OwnerScope, Subscriber, SubscriberChanges } from './subscriber.js';
import { Turns } from './turns.js';

/** How fresh {@link TypeOrmSubscriberRepository} keeps what it knows of the table. */
export interface TypeOrmSubscriberOptions {
  /**
   * How long a change made by another process, or by hand, may stay unseen: milliseconds, default 5,000. A message after
   * that waits for one look at the table, the others are matched without a query. Changes made through the same instance
   * are seen at once.
   */
  readonly maxStaleness?: number;
  /**
   * While the table cannot be read, messages go to the subscribers that were known last, each look that fails logs a
   * warning. When they are older than this, matching fails with {@link SubscribersUnavailableError}. Milliseconds,
   * default 60,000.
   */
  readonly outageTolerance?: number;
}

/**
 * Keeps subscribers in the table `thorn_subscribers` and all enabled ones in memory as well, so that matching costs no
 * query. They are read when the first message is matched.
 *
 * Rows that were edited by hand and no longer make sense are logged and count as absent. Whoever edits by hand gives
 * the row another `revision`, which is how the change is noticed.
 */
export class TypeOrmSubscriberRepository extends SubscriberRepository {
  readonly #logger = new Logger('Thorn');
  readonly #table: SubscriberTable;
  readonly #mirror: SubscriberMirror;
  readonly #turns = new Turns();

  /** @throws {@link ThornConfigurationError} when the data source does not know the entity `ThornSubscriber` */
  constructor(dataSource: DataSource, clock: Clock, options: TypeOrmSubscriberOptions = {}) {
    super();
    this.#table = new SubscriberTable(dataSource);
    this.#mirror = new SubscriberMirror(this.#table, clock, {
      maxStaleness: options.maxStaleness ?? 5000,
      outageTolerance: options.outageTolerance ?? 60_000,
    });
  }

  override async create(subscriber: Subscriber): Promise<Subscriber> {
    const row = toRow(subscriber);
    await this.#change(row.id, async () => {
      await this.#table.insert(row);
      return row;
    });
    return this.#read(row)!;
  }

  override async findById(id: string, scope: OwnerScope): Promise<Subscriber | null> {
    return this.#read(await this.#table.find(id, scope));
  }

  override async update(
    id: string,
    changes: SubscriberChanges & { readonly updatedAt: Date },
    scope: OwnerScope,
  ): Promise<Subscriber | null> {
    // An owner never changes, so a row that is within scope here is so in the write below.
    if ((await this.#table.find(id, scope)) === null) return null;
    const row = await this.#change(id, async () => {
      await this.#table.update(id, toColumns(changes));
      return this.#table.find(id, 'any');
    });
    return this.#read(row);
  }

  override async delete(id: string, scope: OwnerScope): Promise<boolean> {
    if ((await this.#table.find(id, scope)) === null) return false;
    let deleted = false;
    await this.#change(id, async () => {
      deleted = await this.#table.delete(id);
      return null;
    });
    return deleted;
  }

  override async list(
    scope: OwnerScope,
    page: { readonly limit: number; readonly after?: string | null },
  ): Promise<SubscriberPage> {
    const { rows, next } = await this.#table.page(scope, page.limit, page.after ?? null);
    return { items: rows.flatMap((row) => this.#read(row) ?? []), next };
  }

  override match(criteria: MatchCriteria): readonly Subscriber[] | Promise<readonly Subscriber[]> {
    return this.#mirror.match(criteria);
  }

  /** One write of an id at a time: two that overlap could tell the mirror their outcomes in the wrong order. */
  #change(
    id: string,
    write: () => Promise<ThornSubscriber | null>,
  ): Promise<ThornSubscriber | null> {
    return this.#turns.take(id, () => this.#mirror.change(id, write));
  }

  #read(row: ThornSubscriber | null): Subscriber | null {
    const subscriber = row === null ? null : fromRow(row);
    if (typeof subscriber !== 'string') return subscriber;
    this.#logger.error(
      `Subscriber ${row!.id} cannot be read: the column "${subscriber}" of its row in thorn_subscribers is malformed. Correct it or delete the row.`,
    );
    return null;
  }
}
