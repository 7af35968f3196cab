import { errorText } from '../../common/log.js';
import { databaseCode } from '../../database/database-errors.js';
import type { Statement } from '../../database/dialect.js';
import type { Row, SqlTables, Step } from '../../database/sql-client.js';
import { TableRows, type Value } from '../../database/table-rows.js';
import { CapturedTables } from '../../database/triggers/captured-tables.js';
import { ThornError } from '../../errors/index.js';
import { compileEventName } from '../../event/event-name.js';
import { hostOf } from '../../message/recipient.js';
import type { SlottedRow } from './quota-slots.js';
import type { OwnerScope } from '../model/subscriber.js';
import { patternMatches } from '../matching/pattern.js';
import type { SubscriberListQuery } from '../model/subscriber.repository.js';

/** The number of rows, and the sum of their revisions: equal sums mean equal contents. */
export interface Checksum {
  readonly count: number;
  readonly sum: number;
}

/** A row of `thorn_subscribers` as drivers answer it: not all of them know booleans, and some answer text for `bigint`. */
export type SubscriberRow = {
  readonly [Column in 'id' | 'url' | 'events' | 'exclude' | 'secrets' | 'metadata']: string;
} & {
  readonly [Column in 'on_exhausted' | 'content_type' | 'digest' | 'verification']: string;
} & {
  readonly [Column in 'owner' | 'filter' | 'description' | 'unique_key' | 'format']: string | null;
} & { readonly [Column in 'rate_max' | 'rate_per' | 'hold_for']: number | null } & {
  readonly [Column in 'ordered' | 'enabled']: boolean | number;
} & { readonly [Column in 'created_at' | 'updated_at']: number | string } & {
  readonly expires_at: number | string | null;
  readonly revision: number;
  /** See {@link QuotaSlots}. */
  readonly owner_slot?: string | null;
  readonly host_slot?: string | null;
  readonly key_hash?: string | null;
  readonly expired_at?: number | string | null;
};

// Both have the columns of an index, of which each database reads a range alone.
const HAS_ENDED = 'expired_at IS NULL AND expires_at <= ?';
const WAS_TOLD = 'expired_at <= ? AND expires_at <= ?';

const PAGE = 2000;
/** Rows that one search looks at: no index finds a part of a text, and SQLite reads on the event loop. */
const SEARCHED = 10_000;

/**
 * The SQL on `thorn_subscribers`.
 *
 * Ids and owners are compared once more here, because MySQL's default collations hold `A` and `a` to be equal.
 */
export class SubscriberTable {
  readonly #table: string;
  readonly #rows: TableRows<SubscriberRow>;
  readonly #captured: CapturedTables;

  /** @throws `ThornConfigurationError` when the store does not know the table */
  constructor(private readonly store: SqlTables) {
    this.#table = store.table('thorn_subscribers');
    this.#captured = new CapturedTables(store);
    this.#rows = new TableRows(store, this.#table);
  }

  /** @throws `TableLockedError` when a transaction that writes to a table with events stays open */
  async insert(row: SubscriberRow): Promise<void> {
    await this.#writeHeard(row.id, this.#rows.insertion(row));
  }

  async find(id: string, scope: OwnerScope): Promise<SubscriberRow | null> {
    const [row] = await this.#rows.select('id = ?', id);
    if (row === undefined || row.id !== id) return null;
    return scope === 'any' || row.owner === scope.owner ? row : null;
  }

  async findByKey(hash: string): Promise<SubscriberRow | null> {
    return (await this.#rows.select('key_hash = ?', hash))[0] ?? null;
  }

  /** Rows whose end has passed, and was not told. */
  ended(now: number, limit: number): Promise<readonly SubscriberRow[]> {
    return this.#rows.select(`${HAS_ENDED} LIMIT ?`, now, limit);
  }

  /** Keeps the revision, since the subscriber stays the same. @returns whether it was this call that has noted it */
  async noteEnd(id: string, now: number): Promise<boolean> {
    return (await this.#rows.update({ expired_at: now }, `${HAS_ENDED} AND id = ?`, now, id)) > 0;
  }

  /** Rows whose end was told before a time. */
  expired(before: number, limit: number): Promise<readonly SubscriberRow[]> {
    return this.#rows.select(`${WAS_TOLD} LIMIT ?`, before, before, limit);
  }

  /** @returns whether it was this call that removed the row */
  async deleteExpired(id: string, before: number): Promise<boolean> {
    return (await this.#rows.delete(`${WAS_TOLD} AND id = ?`, before, before, id)) > 0;
  }

  /** Reads the slots of an owner's subscribers, for the limits. */
  async slotsOf(owner: string): Promise<readonly SlottedRow[]> {
    const rows = await this.#rows.select('owner = ?', owner);
    return rows
      .filter((row) => row.owner === owner)
      .map(({ id, url, unique_key: key, owner_slot: ownerSlot, host_slot: hostSlot }) => ({
        ...{ id, url, key },
        ownerSlot: ownerSlot ?? null,
        hostSlot: hostSlot ?? null,
      }));
  }

  /** Writes the given columns alone. */
  async update(id: string, columns: Partial<SubscriberRow>): Promise<void> {
    await this.#write(id, columns, this.#rows.changing(columns, 'id = ?', id));
  }

  /** As {@link update}, unless the row was written since it had this revision; @returns whether it was written */
  async updateUnchanged(
    { id, revision }: Pick<SubscriberRow, 'id' | 'revision'>,
    columns: Partial<SubscriberRow>,
  ): Promise<boolean> {
    const change = this.#rows.changing(columns, 'id = ? AND revision = ?', id, revision);
    return (await this.#write(id, columns, change)) > 0;
  }

  /** @returns the number of rows that were written */
  async #write(id: string, columns: Partial<SubscriberRow>, change: Statement): Promise<number> {
    const hearsMore = columns.events !== undefined || Number(columns.enabled) === 1;
    if (hearsMore) return this.#writeHeard(id, change);
    return (await this.store.run(change).catch(withoutValues)).affected;
  }

  /** Writes a subscriber, and in the same transaction makes the tables heard whose events it may get. */
  async #writeHeard(id: string, change: Statement): Promise<number> {
    let patterns: readonly string[] = [];
    const select = {
      sql: `SELECT events FROM ${this.#table} WHERE id = ?`,
      parameters: [id],
      answersRows: true,
    };
    const steps: readonly Step[] = [
      change,
      select,
      (before) => {
        const [row] = before.at(-1)!.rows;
        patterns = row === undefined ? [] : patternsOf(row as unknown as SubscriberRow);
        return null;
      },
      ...this.#captured.hear(({ events }) => events.some((event) => mayMatch(patterns, event))),
    ];
    const [written] = await this.#captured.execute(steps).catch(withoutValues);
    return written!.affected;
  }

  /** @returns whether it was this call that removed the row */
  async delete({
    id,
    revision,
  }: Pick<SubscriberRow, 'id'> & Partial<Pick<SubscriberRow, 'revision'>>): Promise<boolean> {
    const removed =
      revision === undefined
        ? this.#rows.delete('id = ?', id)
        : this.#rows.delete('id = ? AND revision = ?', id, revision);
    return (await removed) > 0;
  }

  /** Rows in the order of their ids; of a search, those among the next {@link SEARCHED} rows. */
  async page(
    scope: OwnerScope,
    { limit, after = null, search }: SubscriberListQuery,
  ): Promise<{ readonly rows: readonly SubscriberRow[]; readonly next: string | null }> {
    let [where, parameters] = within(scope);
    const add = (condition: string, ...values: readonly Value[]) => {
      where += ` AND ${condition}`;
      parameters = [...parameters, ...values];
    };
    if (after !== null) add('id > ?', after);
    let end: string | null = null;
    if (search !== undefined) {
      const last = `${where} ORDER BY id LIMIT 1 OFFSET ${SEARCHED - 1}`;
      end = (await this.#rows.select(last, ...parameters))[0]?.id ?? null;
      if (end !== null) add('id <= ?', end);
      const held = `%${search.replaceAll(/[!%_]/g, '!$&')}%`;
      const holds = (column: string) => `LOWER(${column}) LIKE LOWER(?) ESCAPE '!'`;
      add(`(${holds('url')} OR ${holds('description')})`, held, held);
    }
    const found = await this.#rows.select(`${where} ORDER BY id LIMIT ?`, ...parameters, limit + 1);
    const rows = found.slice(0, limit);
    return {
      rows: rows.filter((row) => scope === 'any' || row.owner === scope.owner),
      next: found.length > limit ? rows.at(-1)!.id : end,
    };
  }

  /** Ids of all rows in scope, or of those on a host. */
  async ids(scope: OwnerScope, host: string | undefined): Promise<readonly string[]> {
    const [where, parameters] = within(scope);
    const rows = await this.#select<Pick<SubscriberRow, 'id' | 'owner' | 'url'>>(
      'id, owner, url',
      where,
      parameters,
    );
    return rows
      .filter((row) => scope === 'any' || row.owner === scope.owner)
      .filter((row) => host === undefined || hostOf(row) === host)
      .map(({ id }) => id);
  }

  /** Every row, a page at a time; those alone that were changed at or after `since`, when it is given. */
  pages(since: number | null = null): AsyncGenerator<readonly SubscriberRow[]> {
    return since === null ? this.#pages('*') : this.#pages('*', 'updated_at >= ?', [since]);
  }

  /** Id and revision of every row, a page at a time. */
  revisions(): AsyncGenerator<readonly Pick<SubscriberRow, 'id' | 'revision'>[]> {
    return this.#pages('id, revision');
  }

  /** @param ids of one page at most */
  async findAll(ids: readonly string[]): Promise<readonly SubscriberRow[]> {
    if (ids.length === 0) return [];
    return this.#rows.select(`id IN (${ids.map(() => '?').join(', ')})`, ...ids);
  }

  async countDisabled(scope: OwnerScope): Promise<number> {
    const [where, parameters] = within(scope);
    const disabled = `${where} AND enabled = ?`;
    if (scope === 'any') {
      const [row] = await this.#select<{ n: number | string }>('COUNT(*) AS n', disabled, [0]);
      return Number(row!.n);
    }
    const rows = await this.#select<{ owner: string | null }>('owner', disabled, [
      ...parameters,
      0,
    ]);
    return rows.filter(({ owner }) => owner === scope.owner).length;
  }

  async checksum(): Promise<Checksum> {
    const [row] = await this.#select('COUNT(*) AS n, SUM(revision) AS total', '1 = 1', []);
    return { count: Number(row!['n']), sum: Number(row!['total']) };
  }

  async *#pages(
    columns: string,
    condition = '1 = 1',
    parameters: readonly Value[] = [],
  ): AsyncGenerator<readonly SubscriberRow[]> {
    // Before every id.
    let after = '';
    for (;;) {
      const rows: readonly SubscriberRow[] = await this.#select(
        columns,
        `${condition} AND id > ? ORDER BY id LIMIT ${PAGE}`,
        [...parameters, after],
      );
      yield rows;
      if (rows.length < PAGE) return;
      after = rows.at(-1)!.id;
    }
  }

  async #select<Found = Row>(
    columns: string,
    where: string,
    parameters: readonly Value[],
  ): Promise<readonly Found[]> {
    const sql = `SELECT ${columns} FROM ${this.#table} WHERE ${where}`;
    const { rows } = await this.store.run({ sql, parameters });
    return rows as readonly unknown[] as readonly Found[];
  }
}

function within(scope: OwnerScope): [where: string, parameters: readonly Value[]] {
  if (scope === 'any') return ['1 = 1', []];
  return scope.owner === null ? ['owner IS NULL', []] : ['owner = ?', [scope.owner]];
}

function patternsOf({ events }: SubscriberRow): readonly string[] {
  return JSON.parse(events) as readonly string[];
}

/** Whether one of the patterns may match an event, as far as its name says without a row. */
function mayMatch(patterns: readonly string[], event: string): boolean {
  const hasFields = compileEventName(event).paths.length > 0;
  return hasFields || patterns.some((pattern) => patternMatches(pattern, event));
}

/** Errors of databases repeat what was to be written, and among that secrets: they are thrown with their code alone. */
function withoutValues(error: unknown): never {
  if (error instanceof ThornError) throw error;
  const failed = new Error(`A subscriber could not be written: ${errorText(error)}`);
  throw Object.assign(failed, { code: databaseCode(error) });
}
