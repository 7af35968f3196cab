import type { DataSource, SelectQueryBuilder } from 'typeorm';
import { ThornConfigurationError } from '../../errors/index.js';
import { hostOf } from '../../message/recipient-host.js';
import { ThornSubscriber } from './subscriber.entity.js';
import { NO_PLACES, type PlacedRow, type QuotaSlots } from './quota-slots.js';
import type { OwnerScope } from '../model/subscriber.js';
import type { SubscriberListQuery } from '../model/subscriber.repository.js';

/** The number of rows, and the sum of their revisions: equal sums mean equal contents. */
export interface Checksum {
  readonly count: number;
  readonly sum: number;
}

const PAGE = 2000;
/** Rows that one search looks at: no index finds a part of a text, and SQLite reads on the event loop. */
const SEARCHED = 10_000;

/**
 * The SQL on `thorn_subscribers`. Listeners are not called: these rows are the library's own.
 *
 * Ids and owners are compared once more here, because MySQL's default collations hold `A` and `a` to be equal.
 */
export class SubscriberTable {
  constructor(private readonly dataSource: DataSource) {
    if (dataSource.isInitialized && !dataSource.hasMetadata(ThornSubscriber)) {
      throw new ThornConfigurationError(
        'THORN_ENTITIES_MISSING',
        "The data source does not know the library's tables. Set autoLoadEntities: true, or add ...thornEntities to its " +
          'entities and ...thornMigrations to its migrations.',
      );
    }
  }

  async insert(row: ThornSubscriber): Promise<void> {
    await this.#rows.insert().values(row).updateEntity(false).callListeners(false).execute();
  }

  async find(id: string, scope: OwnerScope): Promise<ThornSubscriber | null> {
    const row = await this.#select().where('s.id = :id', { id }).getOne();
    if (row === null || row.id !== id) return null;
    return scope === 'any' || row.owner === scope.owner ? row : null;
  }

  /** Reads the places of an owner's subscribers, for the limits. */
  async placesOf(owner: string): Promise<readonly PlacedRow[]> {
    const rows = await this.#select()
      .select(['s.id', 's.owner', 's.url', 's.ownerPlace', 's.hostPlace'])
      .where('s.owner = :owner', { owner })
      .getMany();
    return rows.filter((row) => row.owner === owner);
  }

  /** Writes the given columns alone. */
  async update(id: string, columns: Partial<ThornSubscriber>): Promise<void> {
    await this.#rows.update().set(columns).where({ id }).callListeners(false).execute();
  }

  /** As {@link update}, unless the row was written since it had this revision; @returns whether it was written */
  async updateUnchanged(
    { id, revision }: Pick<ThornSubscriber, 'id' | 'revision'>,
    columns: Partial<ThornSubscriber>,
  ): Promise<boolean> {
    const update = this.#rows.update().set(columns).where({ id, revision });
    const result = await update.callListeners(false).execute();
    return (result.affected ?? 0) > 0;
  }

  /** @returns whether it was this call that removed the row */
  async delete(
    row: Pick<ThornSubscriber, 'id'> & Partial<Pick<ThornSubscriber, 'revision'>>,
  ): Promise<boolean> {
    const result = await this.#rows.delete().where(row).callListeners(false).execute();
    return (result.affected ?? 0) > 0;
  }

  /** Rows in the order of their ids; of a search, those among the next {@link SEARCHED} rows. */
  async page(
    scope: OwnerScope,
    { limit, after = null, search }: SubscriberListQuery,
  ): Promise<{ readonly rows: ThornSubscriber[]; readonly next: string | null }> {
    const query = this.#select()
      .orderBy('s.id')
      .limit(limit + 1);
    if (after !== null) query.andWhere('s.id > :after', { after });
    if (scope !== 'any') {
      query.andWhere(scope.owner === null ? 's.owner IS NULL' : 's.owner = :owner', scope);
    }
    let end: string | null = null;
    if (search !== undefined) {
      const last = query
        .clone()
        .select('s.id', 'id')
        .offset(SEARCHED - 1);
      end = (await last.limit(1).getRawOne<{ id: string }>())?.id ?? null;
      if (end !== null) query.andWhere('s.id <= :end', { end });
      const held = ['s.url', 's.description'].map(
        (column) => `LOWER(${column}) LIKE LOWER(:held) ESCAPE '!'`,
      );
      query.andWhere(`(${held.join(' OR ')})`, { held: `%${search.replaceAll(/[!%_]/g, '!$&')}%` });
    }
    const found = await query.getMany();
    const rows = found.slice(0, limit);
    return {
      rows: rows.filter((row) => scope === 'any' || row.owner === scope.owner),
      next: found.length > limit ? rows.at(-1)!.id : end,
    };
  }

  /** Ids of all rows in scope, or of those on a host. */
  async ids(scope: OwnerScope, host: string | undefined): Promise<readonly string[]> {
    const query = this.#select()
      .select('s.id', 'id')
      .addSelect('s.owner', 'owner')
      .addSelect('s.url', 'url');
    if (scope !== 'any') {
      query.where(scope.owner === null ? 's.owner IS NULL' : 's.owner = :owner', scope);
    }
    const rows = await query.getRawMany<{ id: string; owner: string | null; url: string }>();
    return rows
      .filter((row) => scope === 'any' || row.owner === scope.owner)
      .filter((row) => host === undefined || hostOf(row) === host)
      .map(({ id }) => id);
  }

  /** Every row, a page at a time; those alone that were changed at or after `since`, when it is given. */
  async *pages(since: number | null = null): AsyncGenerator<readonly SubscriberRow[]> {
    let after: string | null = null;
    for (;;) {
      const query = this.#columns().orderBy('s.id').limit(PAGE);
      if (after !== null) query.andWhere('s.id > :after', { after });
      if (since !== null) query.andWhere('s.updated_at >= :since', { since });
      const rows = await query.getRawMany<SubscriberRow>();
      yield rows;
      if (rows.length < PAGE) return;
      after = rows.at(-1)!.id;
    }
  }

  /** Id and revision of every row, a page at a time. */
  async *revisions(): AsyncGenerator<{ readonly id: string; readonly revision: number }[]> {
    let after: string | null = null;
    for (;;) {
      const query = this.#select().select(['s.id', 's.revision']).orderBy('s.id').limit(PAGE);
      if (after !== null) query.where('s.id > :after', { after });
      const rows = await query.getMany();
      yield rows;
      if (rows.length < PAGE) return;
      after = rows.at(-1)!.id;
    }
  }

  /** @param ids of one page at most */
  async findAll(ids: readonly string[]): Promise<ThornSubscriber[]> {
    if (ids.length === 0) return [];
    return this.#select().where('s.id IN (:...ids)', { ids }).getMany();
  }

  async countDisabled(scope: OwnerScope): Promise<number> {
    const query = this.#select().where('s.enabled = :enabled', { enabled: false });
    if (scope === 'any') return query.getCount();
    query.andWhere(scope.owner === null ? 's.owner IS NULL' : 's.owner = :owner', scope);
    const rows = await query.select('s.owner', 'owner').getRawMany<{ owner: string | null }>();
    return rows.filter(({ owner }) => owner === scope.owner).length;
  }

  async checksum(): Promise<Checksum> {
    const sums = await this.#rows
      .select('COUNT(*)', 'count')
      .addSelect('SUM(s.revision)', 'sum')
      .getRawOne<{ count: string | number; sum: string | number | null }>();
    return { count: Number(sums?.count ?? 0), sum: Number(sums?.sum ?? 0) };
  }

  /**
   * Without entities, whose making takes several times as long as reading the rows. The texts that most rows have are
   * not sent.
   */
  #columns(): SelectQueryBuilder<ThornSubscriber> {
    const query = this.#select().select([]);
    for (const { propertyName } of this.dataSource.getMetadata(ThornSubscriber).columns) {
      if (propertyName in NO_PLACES) continue;
      const usual = USUAL_TEXTS[propertyName as keyof UsualTexts];
      const column = `s.${propertyName}`;
      query.addSelect(usual === undefined ? column : `NULLIF(${column}, '${usual}')`, propertyName);
    }
    return query;
  }

  get #rows(): SelectQueryBuilder<ThornSubscriber> {
    return this.dataSource.createQueryBuilder(ThornSubscriber, 's');
  }

  #select(): SelectQueryBuilder<ThornSubscriber> {
    return this.#rows.callListeners(false);
  }
}

/** Texts that most rows have. */
export const USUAL_TEXTS = {
  exclude: '[]',
  onExhausted: 'skip',
  contentType: 'application/json',
  digest: 'sha256',
  verification: 'none',
  metadata: '{}',
} as const;

type UsualTexts = typeof USUAL_TEXTS;
type Time = 'createdAt' | 'updatedAt';
type Flag = 'enabled' | 'ordered';

/**
 * A row without its places, as drivers answer it: not all of them know booleans, and some answer text for `bigint`. Null
 * stands for the texts of {@link USUAL_TEXTS}.
 */
export type SubscriberRow = Omit<
  ThornSubscriber,
  keyof QuotaSlots | keyof UsualTexts | Time | Flag
> & { readonly [Column in keyof UsualTexts]: string | null } & {
  readonly [Column in Time]: Date | number | string;
} & { readonly [Column in Flag]: boolean | number };
