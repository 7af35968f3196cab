import { Logger } from '@nestjs/common';
import { KeyedMutex } from '../../common/waiting.js';
import type { Clock } from '../../common/time.js';
import { LogLine } from '../../common/log.js';
import type { SqlTables } from '../../database/sql-client.js';
import { ThornConfigurationError } from '../../errors/index.js';
import { hasEnded, type Secret } from '../../message/recipient.js';
import { type SecretSealer, SecretUnreadableError } from '../../signing/index.js';
import { SubscriberCache } from './subscriber-cache.js';
import {
  describeFault,
  isFault,
  type RowFault,
  SubscriberRowMapper,
} from './subscriber-row-mapper.js';
import { SubscriberTable } from './subscriber-table.js';
import type { SubscriberRow } from '../model/field-kinds.js';
import { DatabaseAudit } from './database-audit.js';
import { APPLICATION, changeOf, type FailureFigures, WORKER } from '../model/subscriber-change.js';
import { SubscriberWriter } from './subscriber-writer.js';
import {
  type MatchCriteria,
  type ResealedPage,
  type SubscriberListQuery,
  type SubscriberPage,
  SubscriberRepository,
  type UpdateTerms,
  type SubscriberLimits,
} from '../model/subscriber.repository.js';
import { keyHash, QuotaAllocator } from './quota-slots.js';
import type { OwnerScope, Subscriber, SubscriberChanges } from '../model/subscriber.js';

/** Options for the freshness of {@link DatabaseSubscriberRepository}'s cache. */
export interface DatabaseSubscriberOptions {
  /**
   * The maximum age of the cache in milliseconds; default 5,000. The first message after that time waits for one read
   * of the table; the other messages are matched without a query. Changes made through the same instance are visible at
   * once.
   */
  readonly maxStaleness?: number;
  /**
   * The time in milliseconds for which a copy of the table may be used while the table cannot be read; default 60,000.
   * Messages go to the subscribers of this copy, and each failed read logs a warning. When the copy is older, matching
   * fails with `SubscribersUnavailableError`.
   */
  readonly outageTolerance?: number;
  /** True: changes of subscribers are to be told to the application. Default false: they are kept and not told. */
  readonly isTold?: boolean;
}

/**
 * Keeps subscribers in the table `thorn_subscribers`, and a copy of all enabled subscribers in memory, so that matching
 * costs no query. The copy is read when the first message is matched.
 *
 * A row that was edited by hand and no longer makes sense is logged and counts as absent. An edit by hand must also
 * change the `revision` of the row, or the change goes unnoticed.
 *
 * With a sealer, secrets are sealed in the table, bound to the subscriber's id; only the copy in memory has them open.
 * Rows that were stored before there was a sealer are read as they are. A subscriber whose secrets do not open is
 * logged and receives nothing; reading it by its id throws {@link SecretUnreadableError}, and so does changing it,
 * unless the change gives it a new secret.
 */
export class DatabaseSubscriberRepository extends SubscriberRepository {
  override readonly audit: DatabaseAudit;
  readonly #logger = new Logger('Thorn');
  readonly #table: SubscriberTable;
  readonly #mapper: SubscriberRowMapper;
  readonly #cache: SubscriberCache;
  readonly #mutex = new KeyedMutex();
  readonly #allocator: QuotaAllocator;
  readonly #writer: SubscriberWriter;
  readonly #maxStaleness: number;

  /**
   * @param sealer default: secrets are stored as they are
   * @throws `ThornConfigurationError` when the store does not know the table
   */
  constructor(
    store: SqlTables,
    private readonly clock: Clock,
    options: DatabaseSubscriberOptions = {},
    sealer?: SecretSealer,
  ) {
    super();
    this.audit = new DatabaseAudit(store, options.isTold ?? false);
    this.#table = new SubscriberTable(store, this.audit);
    this.#mapper = new SubscriberRowMapper(sealer);
    this.#allocator = new QuotaAllocator(this.#table);
    this.#writer = new SubscriberWriter(this.#table, this.#mapper, this.#allocator);
    this.#maxStaleness = options.maxStaleness ?? 5000;
    this.#cache = new SubscriberCache(this.#table, this.#mapper, clock, {
      maxStaleness: this.#maxStaleness,
      outageTolerance: options.outageTolerance ?? 60_000,
    });
  }

  override async create(
    subscriber: Subscriber,
    limits?: SubscriberLimits,
    by = APPLICATION,
  ): Promise<Subscriber> {
    const { owner, key } = subscriber;
    if (key === null) return this.#insert(subscriber, limits, by);
    const known = await this.findByKey(owner, key);
    if (known !== null) return known;
    try {
      return await this.#insert(subscriber, limits, by);
    } catch (error) {
      // Another call may have stored a subscriber with the key, or taken the last slot, a moment earlier.
      const first = await this.findByKey(owner, key);
      if (first === null) throw error;
      return first;
    }
  }

  override async findByKey(owner: string | null, key: string): Promise<Subscriber | null> {
    return this.#read(await this.#table.findByKey(keyHash(owner, key)));
  }

  async #insert(
    subscriber: Subscriber,
    limits: SubscriberLimits | undefined,
    by: string,
  ): Promise<Subscriber> {
    const audited = changeOf('created', subscriber, { at: subscriber.createdAt.getTime(), by });
    const stored = await this.#change(subscriber.id, () =>
      this.#allocator.allocate(subscriber, limits, async (slots) => {
        const fresh = this.#mapper.toRow(subscriber, slots);
        await this.#table.insert(fresh, audited);
        return fresh;
      }),
    );
    return this.#readable(subscriber.id, stored)!;
  }

  override async findById(id: string, scope: OwnerScope): Promise<Subscriber | null> {
    return this.#read(await this.#table.find(id, scope));
  }

  override async findAll(
    ids: readonly string[],
    scope: OwnerScope,
  ): Promise<readonly Subscriber[]> {
    const wanted = new Set(ids);
    const rows = await this.#table.findAll(ids);
    return rows
      .filter(({ id, owner }) => wanted.has(id) && (scope === 'any' || owner === scope.owner))
      .flatMap((row) => this.#readOrLog(row) ?? []);
  }

  override async findActive(id: string): Promise<Subscriber | null> {
    const known = await this.#cache.get(id);
    // The cache may be behind: another process may have enabled a subscriber that the cache does not know, or renewed a
    // subscriber that seems to have ended. So the table is asked.
    return known === undefined || hasEnded(known, this.clock.now()) ? super.findActive(id) : known;
  }

  override async update(
    id: string,
    changes: SubscriberChanges & { readonly updatedAt: Date },
    scope: OwnerScope,
    terms: UpdateTerms = {},
  ): Promise<Subscriber | null> {
    // The owner of a row never changes, so a row that is within the scope here is still within it at the write below.
    const before = await this.#table.find(id, scope);
    if (before === null) return null;
    this.#mapper.demandReadable(before, changes);
    const written = await this.#change(id, () =>
      terms.check === undefined && (terms.limits === undefined || changes.url === undefined)
        ? this.#writer.plainly(id, changes, terms)
        : this.#writer.onTerms(id, changes, terms),
    );
    return this.#readable(id, written);
  }

  override async disable(id: string, updatedAt: Date, figures?: FailureFigures): Promise<boolean> {
    let isDisabled = false;
    await this.#change(id, async () => {
      const written = await this.#writer.disable(id, updatedAt, figures);
      ({ isDisabled } = written);
      return written.row;
    });
    return isDisabled;
  }

  override async markExpired(now: number, limit: number): Promise<readonly Subscriber[]> {
    const marked: Subscriber[] = [];
    let rows: readonly SubscriberRow[];
    do {
      rows = await this.#table.ended(now, limit);
      for (const row of rows) {
        const audited = changeOf('expired', row, { at: now, by: WORKER });
        if (!(await this.#table.noteEnd(row.id, now, audited))) continue;
        const subscriber = this.#readOrLog(row);
        if (subscriber !== null) marked.push(subscriber);
      }
    } while (rows.length === limit && marked.length < limit);
    return marked;
  }

  override async removeExpired(before: number, limit: number): Promise<number> {
    const rows = await this.#table.expired(before, limit);
    for (const row of rows) {
      const { id } = row;
      const audited = changeOf('removed', row, { at: this.clock.now(), by: WORKER });
      await this.#change(id, async () =>
        (await this.#table.deleteExpired(id, before, audited)) ? null : this.#table.find(id, 'any'),
      );
    }
    return rows.length;
  }

  override async changeSecrets(
    id: string,
    change: (secrets: readonly Secret[], current: Subscriber) => readonly Secret[],
    updatedAt: Date,
    scope: OwnerScope,
    by = APPLICATION,
  ): Promise<Subscriber | null> {
    if ((await this.#table.find(id, scope)) === null) return null;
    const written = await this.#change(id, () =>
      this.#writer.secrets(id, change, updatedAt, { by }),
    );
    return this.#readable(id, written);
  }

  /** @throws `ThornConfigurationError` without a key to seal with */
  override async reseal({
    limit,
    after,
    now,
    dryRun = false,
  }: Parameters<SubscriberRepository['reseal']>[0]): Promise<ResealedPage> {
    if (!this.#mapper.seals) {
      throw new ThornConfigurationError(
        'THORN_ENCRYPTION_KEY_MISSING',
        'Secrets cannot be sealed without a key. Set the option encryption.keys.',
      );
    }
    const { rows, next } = await this.#table.page('any', { limit, after });
    let resealed = 0;
    const unreadable: string[] = [];
    for (const row of rows) {
      const written = await this.#writer.resealed(row, now, dryRun);
      if (written === null) unreadable.push(row.id);
      else if (written) resealed++;
    }
    return { checked: rows.length, resealed, unreadable, next };
  }

  override async delete(
    id: string,
    scope: OwnerScope,
    check?: (current: Subscriber) => void,
    by = APPLICATION,
  ): Promise<boolean> {
    if ((await this.#table.find(id, scope)) === null) return false;
    let deleted = false;
    await this.#change(id, async () => {
      deleted = await this.#writer.delete(id, this.clock.now(), { by, ...(check && { check }) });
      return null;
    });
    return deleted;
  }

  override async list(scope: OwnerScope, page: SubscriberListQuery): Promise<SubscriberPage> {
    const { rows, next } = await this.#table.page(scope, page);
    return { items: rows.flatMap((row) => this.#readOrLog(row) ?? []), next };
  }

  override findIds(scope: OwnerScope): Promise<readonly string[]> {
    return this.#table.ids(scope);
  }

  override async sentAsIsSince({ createdAt, updatedAt }: Subscriber): Promise<number> {
    // A subscriber that never changed has one version, so no process can use an older version.
    const isNew = updatedAt.getTime() === createdAt.getTime();
    return updatedAt.getTime() + (isNew ? 0 : this.#maxStaleness);
  }

  /** Finds the ids of stored subscribers with `thin` or `template`, up to a limit. */
  findShaped(shape: 'thin' | 'template', limit: number): Promise<readonly string[]> {
    return this.#table.shaped(shape, limit);
  }

  override countDisabled(scope: OwnerScope = 'any'): Promise<number> {
    return this.#table.countDisabled(scope);
  }

  override match(criteria: MatchCriteria): readonly Subscriber[] | Promise<readonly Subscriber[]> {
    return this.#cache.match(criteria);
  }

  override refresh(): Promise<void> {
    return this.#cache.refresh();
  }

  override isUnheard(criteria: MatchCriteria): boolean {
    return this.#cache.isUnheard(criteria);
  }

  /**
   * Writes a subscriber. The writes of one id run one after another, because two overlapping writes could report their
   * rows to the cache in the wrong order.
   */
  #change(
    id: string,
    write: () => Promise<SubscriberRow | null>,
  ): Promise<Subscriber | RowFault | null> {
    return this.#mutex.run(id, () => this.#cache.change(id, write));
  }

  /** @throws {@link SecretUnreadableError} */
  #read(row: SubscriberRow | null): Subscriber | null {
    return row === null ? null : this.#readable(row.id, this.#mapper.fromRow(row));
  }

  /** The subscriber of a row, or null with a line in the log. */
  #readOrLog(row: SubscriberRow): Subscriber | null {
    const found = this.#mapper.fromRow(row);
    return isFault(found) ? this.#log(row.id, found) : found;
  }

  /** @throws {@link SecretUnreadableError} */
  #readable(id: string, found: Subscriber | RowFault | null): Subscriber | null {
    if (found instanceof SecretUnreadableError) throw found;
    return found !== null && isFault(found) ? this.#log(id, found) : found;
  }

  #log(id: string, fault: RowFault): null {
    const text = `Subscriber ${id} cannot be read: ${describeFault(fault)}`;
    this.#logger.error(new LogLine(text, { subscriberId: id }));
    return null;
  }
}
