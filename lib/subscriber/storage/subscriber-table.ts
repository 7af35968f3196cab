import { errorText } from '../../common/log.js';
import { databaseCode } from '../../database/database-errors.js';
import type { Select, Write } from '../../database/dialect.js';
import type { SqlTables, Step } from '../../database/sql-client.js';
import type { SUBSCRIBERS } from '../../database/schema/thorn-tables.js';
import type { FieldsOf, NewRowOf } from '../../database/schema/table-definition.js';
import { CapturedTables } from '../../database/triggers/captured-tables.js';
import { ThornError } from '../../errors/index.js';
import { compileEventName } from '../../event/event-name.js';
import { namesOfPattern, namesOfSegments, overlap } from '../../event/event-patterns.js';
import type { SubscriberRow } from '../model/field-kinds.js';
import { isWithin, type OwnerScope } from '../model/subscriber.js';
import type { SubscriberAudit } from '../model/subscriber-audit.js';
import type { SubscriberChange } from '../model/subscriber-change.js';
import type { SubscriberListQuery } from '../model/subscriber.repository.js';
import * as statements from './subscriber-statements.js';

/** The number of rows, and the sum of their revisions. When both are equal, the contents are equal. */
export interface Checksum {
  readonly count: number;
  readonly sum: number;
}

type Fields = FieldsOf<NewRowOf<typeof SUBSCRIBERS>>;
/** A row of `thorn_subscribers`, for the repositories of TypeORM. Its fields are the columns, in camel case. */
export type ThornSubscriber = { -readonly [Name in keyof Fields]: Fields[Name] };
/** The entity of `thorn_subscribers`. Each column is explained in `docs/reference/tables.md`. */
export const ThornSubscriber = class ThornSubscriber {} as new () => ThornSubscriber;

type Revision = Pick<SubscriberRow, 'id' | 'revision'>;

/** The number of rows in each read, where all rows are read. */
const PAGE = 2000;
/**
 * The number of rows that one search reads at most, because no index finds a part of a text, and because SQLite blocks
 * the event loop while it reads.
 */
const SEARCHED = 10_000;

/**
 * The rows of `thorn_subscribers`.
 *
 * This class compares ids and owners once more, because the default collations of MySQL treat `A` and `a` as equal.
 */
export class SubscriberTable {
  readonly #table: string;
  readonly #captured: CapturedTables;

  /** @throws `ThornConfigurationError` when the store does not know the table */
  constructor(
    private readonly store: SqlTables,
    private readonly audit: SubscriberAudit,
  ) {
    this.#table = store.table('thorn_subscribers');
    this.#captured = new CapturedTables(store);
  }

  /** @throws `TableLockedError` when a transaction that writes to a table with events stays open */
  async insert(row: SubscriberRow, audited: SubscriberChange | null): Promise<void> {
    await this.#writeHeard(row.id, statements.insert(this.#table, row), audited);
  }

  async find(id: string, scope: OwnerScope): Promise<SubscriberRow | null> {
    const [row] = await this.#rows(statements.selectById(this.#table, id));
    if (row === undefined || row.id !== id) return null;
    return isWithin(row, scope) ? row : null;
  }

  async findByKey(hash: string): Promise<SubscriberRow | null> {
    const [row] = await this.#rows(statements.selectByKeyHash(this.#table, hash));
    return row ?? null;
  }

  /** Rows whose end has passed and has not been reported yet. */
  ended(now: number, limit: number): Promise<readonly SubscriberRow[]> {
    return this.#rows(statements.selectEnded(this.#table, now, limit));
  }

  /**
   * Keeps the revision, since the subscriber itself does not change.
   *
   * @returns true when this call has noted the end, false when another call was first
   */
  noteEnd(id: string, now: number, audited: SubscriberChange): Promise<boolean> {
    return this.#hasWritten(statements.noteEnd(this.#table, id, now), audited);
  }

  /** Rows whose end was reported before a time. */
  expired(before: number, limit: number): Promise<readonly SubscriberRow[]> {
    return this.#rows(statements.selectToldBefore(this.#table, before, limit));
  }

  /** @returns whether it was this call that removed the row */
  deleteExpired(id: string, before: number, audited: SubscriberChange): Promise<boolean> {
    return this.#hasWritten(statements.removeToldBefore(this.#table, id, before), audited);
  }

  /** Reads the slots of an owner's subscribers, which tell how many the owner has. */
  async slotsOf(owner: string) {
    const rows = await this.#rows(statements.selectByOwner(this.#table, owner));
    return rows
      .filter((row) => row.owner === owner)
      .map(({ id, url, unique_key: key, owner_slot: ownerSlot, host_slot: hostSlot }) => ({
        ...{ id, url, key, ownerSlot, hostSlot },
      }));
  }

  /**
   * Writes only the given columns, unless the row has another revision by now.
   *
   * @param audited what the audit says of it; null for nothing
   * @returns whether the row was written
   */
  async updateUnchanged(
    { id, revision }: Revision,
    columns: Partial<SubscriberRow>,
    audited: SubscriberChange | null,
  ): Promise<boolean> {
    const change = statements.update(this.#table, id, columns, revision);
    const hearsMore = columns.events !== undefined || Number(columns.enabled) === 1;
    if (hearsMore) return this.#writeHeard(id, change, audited);
    return this.#hasWritten(change, audited).catch(withoutValues);
  }

  /**
   * Writes a subscriber. In the same transaction, it tells the triggers of the tables whose events the subscriber may
   * get that somebody listens.
   */
  async #writeHeard(id: string, change: Write, audited: SubscriberChange | null): Promise<boolean> {
    let patterns: readonly string[] = [];
    const steps: readonly Step[] = [
      change,
      statements.selectEvents(this.#table, id),
      (before) => {
        const [row] = before.at(-1)!.rows;
        patterns = row === undefined ? [] : (JSON.parse(row['events'] as string) as string[]);
        return null;
      },
      ...this.#captured.hear(({ events }) => events.some((event) => mayMatch(patterns, event))),
      ...this.#auditing(audited),
    ];
    const [written] = await this.#captured.execute(steps).catch(withoutValues);
    return written!.affected > 0;
  }

  /**
   * Removes a row, unless it has another revision by now.
   *
   * @returns whether it was this call that removed the row
   */
  delete({ id, revision }: Revision, audited: SubscriberChange | null): Promise<boolean> {
    return this.#hasWritten(statements.remove(this.#table, id, revision), audited);
  }

  /** Rows in the order of their ids. A search finds rows among the next {@link SEARCHED} rows. */
  async page(
    scope: OwnerScope,
    { limit, after = null, search }: SubscriberListQuery,
  ): Promise<{ readonly rows: readonly SubscriberRow[]; readonly next: string | null }> {
    const all = { scope, after, end: null };
    const [last] =
      search === undefined
        ? []
        : await this.#rows(statements.selectIdAt(this.#table, all, SEARCHED - 1));
    const end = last?.id ?? null;
    const page = { ...all, end, search };
    const found = await this.#rows(statements.selectPage(this.#table, page, limit + 1));
    const rows = found.slice(0, limit);
    return {
      rows: rows.filter((row) => isWithin(row, scope)),
      next: found.length > limit ? rows.at(-1)!.id : end,
    };
  }

  /** Ids of all rows in scope, or of the rows in scope whose URL is on the host. */
  async ids(scope: OwnerScope): Promise<readonly string[]> {
    const rows = await this.#rows(statements.selectIds(this.#table, scope));
    return rows.filter((row) => isWithin(row, scope)).map(({ id }) => id);
  }

  /** Every row, a page at a time. With `since`, only the rows that were changed at this time or later. */
  pages(since: number | null = null): AsyncGenerator<readonly SubscriberRow[]> {
    return this.#pages((after) =>
      since === null
        ? statements.selectAllAfter(this.#table, after, PAGE)
        : statements.selectChangedAfter(this.#table, after, since, PAGE),
    );
  }

  /** Id and revision of every row, a page at a time. */
  revisions(): AsyncGenerator<readonly Revision[]> {
    return this.#pages((after) => statements.selectRevisionsAfter(this.#table, after, PAGE));
  }

  /** @param ids of one page at most */
  async findAll(ids: readonly string[]): Promise<readonly SubscriberRow[]> {
    return ids.length === 0 ? [] : this.#rows(statements.selectByIds(this.#table, ids));
  }

  async countDisabled(scope: OwnerScope): Promise<number> {
    if (scope === 'any') {
      const [row] = await this.#rows(statements.countDisabled(this.#table));
      return Number(row!.n);
    }
    const rows = await this.#rows(statements.selectOwnersOfDisabled(this.#table, scope));
    return rows.filter((row) => isWithin(row, scope)).length;
  }

  async shaped(shape: 'thin' | 'template', limit: number): Promise<readonly string[]> {
    const rows = await this.#rows(statements.selectShaped(this.#table, shape, limit));
    return rows.map(({ id }) => id);
  }

  async checksum(): Promise<Checksum> {
    const [row] = await this.#rows(statements.selectChecksum(this.#table));
    return { count: Number(row!.n), sum: Number(row!.total) };
  }

  /** @param statement reads the rows with greater ids, in the order of their ids */
  async *#pages<Row extends Pick<SubscriberRow, 'id'>>(
    statement: (after: string) => Select<Row>,
  ): AsyncGenerator<readonly Row[]> {
    // The empty text is less than every id.
    let after = '';
    for (;;) {
      const rows = await this.#rows(statement(after));
      yield rows;
      if (rows.length < PAGE) return;
      after = rows.at(-1)!.id;
    }
  }

  async #rows<Row>(statement: Select<Row>): Promise<readonly Row[]> {
    const { rows } = await this.store.run(statement);
    return rows as readonly unknown[] as readonly Row[];
  }

  async #hasWritten(change: Write, audited: SubscriberChange | null): Promise<boolean> {
    const steps = this.#auditing(audited);
    const written =
      steps.length === 0
        ? await this.store.run(change)
        : (await this.store.execute([change, ...steps]))[0]!;
    return written.affected > 0;
  }

  /** The steps that write a change down in the transaction of the first step, if that has written a row. */
  #auditing(audited: SubscriberChange | null): readonly Step[] {
    const statements = audited === null ? [] : this.audit.statements([audited]);
    return statements.map(
      (statement): Step =>
        ([written]) =>
          written!.affected > 0 ? statement : null,
    );
  }
}

/** Tells whether one of the patterns may match an event, whatever its fields hold, such as that of `order.{state}`. */
function mayMatch(patterns: readonly string[], event: string): boolean {
  const names = namesOfSegments(compileEventName(event).segments);
  return patterns.some((pattern) => overlap(namesOfPattern(pattern), names));
}

/**
 * Replaces an error of the database by an error with the same code. The text of the database repeats the values of the
 * statement, and the secrets are among them.
 */
function withoutValues(error: unknown): never {
  if (error instanceof ThornError) throw error;
  const failed = new Error(`A subscriber could not be written: ${errorText(error)}`);
  throw Object.assign(failed, { code: databaseCode(error) });
}
