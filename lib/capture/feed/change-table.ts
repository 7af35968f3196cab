import type { DataSource, EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import { escapePath } from '../../common/typeorm-compat.js';
import { ownTablePath } from './own-table-path.js';
import { ThornConfigurationError } from '../../errors/index.js';
import type { CollectedItem } from '../changes/occurrences.js';
import type { OtherReports } from '../hooks/change-collector.js';
import { dataSourceName } from '../rows/data-source-name.js';
import { keyPart } from '../rows/row-key.js';

/** What one transaction has made of a row, by the first and the last of the rows of `thorn_changes` that say so. */
export interface Touch {
  /** Of the first. */
  readonly id: string;
  readonly last: string;
  /** Number of the transaction. */
  readonly tx: string;
  /** As the trigger names it. */
  readonly entity: string;
  readonly had_row: boolean;
  readonly has_row: boolean;
  /** The columns whose values differ, when there is a row before and after. */
  readonly changed: readonly string[];
}

/** A row as the driver answers it. */
export type RawRow = Readonly<Record<string, unknown>>;

// Any number of ours: it keeps the lock apart from those of others.
const LOCK = 1_953_001_076;
const LOOKED_AT = 1000;
/** Rows of `thorn_changes` on one row of a table in one transaction; see the index that the migration makes. */
const SAME_ROW =
  'c.tx = u.tx AND jsonb_hash(c.key) = jsonb_hash(u.key) AND c.key = u.key AND c.entity = u.entity';

/** The SQL on `thorn_changes`, which triggers fill. */
export class ChangeTable implements OtherReports {
  constructor(private readonly dataSource: DataSource) {}

  get #table(): string {
    return ownTablePath(this.dataSource, 'thorn_changes');
  }

  /** @throws {@link ThornConfigurationError} when the table is missing. Resolves when the database cannot be reached. */
  async check(): Promise<void> {
    const [row] = await this.dataSource
      .query<{ found: unknown }[]>('SELECT to_regclass($1) AS found', [this.#table])
      .catch(() => [{ found: true }]);
    if (row!.found !== null) return;
    throw new ThornConfigurationError(
      'THORN_TABLES_MISSING',
      `The data source ${dataSourceName(this.dataSource)} has no table ${this.#table}. Add ...thornChangeFeedMigrations of nestjs-thorn/extending to its migrations and run them, or leave the option changeFeed out.`,
      { table: this.#table },
    );
  }

  /** Tells whether there is something to make messages of. */
  async isFilled(): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>(`SELECT 1 FROM ${this.#table} LIMIT 1`);
    return rows.length > 0;
  }

  /** Keeps all other processes from taking until the transaction ends. @returns false when another one takes */
  async lock(manager: EntityManager): Promise<boolean> {
    const [row] = await manager.query<{ locked: boolean }[]>(
      `SELECT pg_try_advisory_xact_lock(${LOCK}, '${this.#table}'::regclass::oid::int) AS locked`,
    );
    return row!.locked;
  }

  /**
   * What the oldest touches are part of. A transaction may come in portions, but never a row of it: however many touches
   * there are, no more than these are in memory.
   *
   * In the order of last touches: row locks keep a transaction from touching a row of another before that has ended.
   */
  async oldest(manager: EntityManager): Promise<readonly Touch[]> {
    const units = `SELECT DISTINCT tx, entity, key FROM (SELECT tx, entity, key FROM ${this.#table} ORDER BY id LIMIT ${LOOKED_AT}) first`;
    return manager.query<Touch[]>(
      `SELECT f.id, l.id AS last, f.tx, f.entity, f.old_row IS NOT NULL AS had_row, l.new_row IS NOT NULL AS has_row,
         CASE jsonb_typeof(l.new_row) WHEN 'object' THEN
           ARRAY(SELECT n.key FROM jsonb_each(l.new_row) n WHERE f.old_row -> n.key IS DISTINCT FROM n.value)
         ELSE '{}' END AS changed
       FROM (SELECT min(c.id) AS first, max(c.id) AS last FROM (${units}) u
         JOIN ${this.#table} c ON ${SAME_ROW} GROUP BY c.tx, c.entity, c.key) net
       JOIN ${this.#table} f ON f.id = net.first JOIN ${this.#table} l ON l.id = net.last ORDER BY l.id`,
    );
  }

  /** The rows before or after some touches, in the types of their table's columns; by the ids of touches. */
  async rows(
    manager: EntityManager,
    { tablePath }: EntityMetadata,
    column: 'old_row' | 'new_row',
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, RawRow>> {
    if (ids.length === 0) return new Map();
    const rows = await manager.query<(RawRow & { readonly thorn_change: string })[]>(
      `SELECT r.*, c.id AS thorn_change FROM ${this.#table} c
       CROSS JOIN LATERAL jsonb_populate_record(NULL::${escapePath(this.dataSource, tablePath)}, c.${column}) r WHERE c.id = ANY($1)`,
      [ids],
    );
    return new Map(rows.map((row) => [row.thorn_change, row]));
  }

  async remove(manager: EntityManager, touches: readonly Touch[]): Promise<void> {
    await manager.query(
      `DELETE FROM ${this.#table} c USING ${this.#table} u WHERE u.id = ANY($1) AND ${SAME_ROW}`,
      [touches.map(({ id }) => id)],
    );
  }

  /** Removes what triggers say of rows that this transaction's capture makes the messages of. */
  async removeCaptured(manager: EntityManager, items: readonly CollectedItem[]): Promise<void> {
    const captured = items.flatMap((item) =>
      item.type === 'row'
        ? namesOf(item.plan.metadata).map((entity) => ({
            entity,
            key: databaseKey(item.plan.metadata, item.id),
          }))
        : [],
    );
    if (captured.length === 0) return;
    await manager.query(
      `DELETE FROM ${this.#table} c USING jsonb_to_recordset($1::jsonb) AS r(entity text, key jsonb)
       WHERE c.tx = txid_current() AND c.entity = r.entity AND c.key = r.key`,
      [JSON.stringify(captured)],
    );
  }

  /** Tells whether a trigger reports the changes of an entity. */
  async reports({ tablePath }: EntityMetadata): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>(
      'SELECT 1 FROM pg_trigger WHERE tgrelid = $1::regclass AND tgfoid = $2::regproc',
      [escapePath(this.dataSource, tablePath), ownTablePath(this.dataSource, 'thorn_touch')],
    );
    return rows.length > 0;
  }
}

/** The names that a trigger may give an entity: those of its class and its table, and of what it extends. */
export function namesOf(metadata: EntityMetadata): string[] {
  const { name, targetName, tableName, parentEntityMetadata: parent } = metadata;
  // TypeORM sets it on children alone.
  const inherited = (parent as EntityMetadata | undefined) ? namesOf(parent) : [];
  return [...new Set([name, targetName, tableName, ...inherited])];
}

/** The key as `thorn_touch()` writes it: texts by the names of columns. */
function databaseKey(
  { primaryColumns }: EntityMetadata,
  id: ObjectLiteral,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    primaryColumns.map((column) => {
      const value: unknown = column.getEntityValue(id);
      const text = keyPart(value, column);
      return [column.databaseName, value instanceof Uint8Array ? `\\x${text}` : text];
    }),
  );
}
