import type { DataSource, EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import { escapePath, ownTablePath } from '../../common/typeorm-compat.js';
import type { Row, SqlExecutor } from '../../database/sql-client.js';
import { ThornConfigurationError } from '../../errors/index.js';
import type { DataSourceClient } from '../clients/data-source-client.js';
import { dataSourceName } from '../rows/data-source-name.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import { databaseKey, keyExpression } from './database-key.js';

/** What one transaction has made of a row, by the first and the last of the rows of `thorn_changes` that say so. */
export interface TriggerReport {
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

/** A row of a table, and the reports that the capture expects of it in this transaction. */
export interface CapturedRow {
  readonly plan: EntityPlan;
  readonly id: ObjectLiteral;
  /** How many; undefined when any number will do. */
  readonly reports: number | undefined;
  readonly inserts: number;
  readonly removals: number;
  /** The columns that no update of it is to change. */
  readonly kept: readonly string[];
}

// Any number of ours: it keeps the lock apart from those of others.
const LOCK = 1_953_001_076;
const LOOKED_AT = 1000;
/** Rows of `thorn_changes` on one row of a table in one transaction; see the index that the migration makes. */
const SAME_ROW =
  'c.tx = u.tx AND jsonb_hash(c.key) = jsonb_hash(u.key) AND c.key = u.key AND c.entity = u.entity';

/** The SQL on `thorn_changes`, which triggers fill. */
export class ChangeTable {
  constructor(private readonly client: DataSourceClient) {}

  get #dataSource(): DataSource {
    return this.client.dataSource;
  }

  get #table(): string {
    return ownTablePath(this.#dataSource, 'thorn_changes');
  }

  /** @throws {@link ThornConfigurationError} when the table is missing. Resolves when the database cannot be reached. */
  async check(): Promise<void> {
    const statement = { sql: 'SELECT to_regclass(?) AS found', parameters: [this.#table] };
    const { rows } = await this.client.run(statement).catch(() => ({ rows: [{ found: true }] }));
    if (rows[0]!.found !== null) return;
    throw new ThornConfigurationError(
      'THORN_TABLES_MISSING',
      `The data source ${dataSourceName(this.#dataSource)} has no table ${this.#table}. Add ...thornChangeFeedMigrations of nestjs-thorn/extending to its migrations and run them, or leave the option changeFeed out.`,
      { table: this.#table },
    );
  }

  /** Tells whether there is something to make messages of. */
  async isFilled(): Promise<boolean> {
    const sql = `SELECT 1 FROM ${this.#table} LIMIT 1`;
    return (await this.client.run({ sql, parameters: [] })).rows.length > 0;
  }

  /** Keeps all other processes from taking until the transaction ends. @returns false when another one takes */
  async lock(manager: EntityManager): Promise<boolean> {
    const sql = `SELECT pg_try_advisory_xact_lock(${LOCK}, '${this.#table}'::regclass::oid::int) AS locked`;
    const { rows } = await this.#within(manager).run({ sql, parameters: [] });
    return rows[0]!['locked'] as boolean;
  }

  /**
   * What the oldest reports are part of. A transaction may come in portions, but never a row of it: however many reports
   * there are, no more than these are in memory.
   *
   * In the order of last reports: row locks keep a transaction from touching a row of another before that has ended.
   */
  async oldest(manager: EntityManager): Promise<readonly TriggerReport[]> {
    return this.#net(
      manager,
      `SELECT DISTINCT tx, entity, key FROM (SELECT tx, entity, key FROM ${this.#table} ORDER BY id LIMIT ${LOOKED_AT}) first`,
    );
  }

  /** @param rows a query of transactions, entities and keys */
  async #net(
    manager: EntityManager,
    rows: string,
    parameters: unknown[] = [],
  ): Promise<TriggerReport[]> {
    const net = await this.#within(manager).run({
      sql: `SELECT f.id, l.id AS last, f.tx, f.entity, f.old_row IS NOT NULL AS had_row, l.new_row IS NOT NULL AS has_row,
         CASE jsonb_typeof(l.new_row) WHEN 'object' THEN
           ARRAY(SELECT n.key FROM jsonb_each(l.new_row) n WHERE f.old_row -> n.key IS DISTINCT FROM n.value)
         ELSE '{}' END AS changed
       FROM (SELECT min(c.id) AS first, max(c.id) AS last FROM (${rows}) u
         JOIN ${this.#table} c ON ${SAME_ROW} GROUP BY c.tx, c.entity, c.key) net
       JOIN ${this.#table} f ON f.id = net.first JOIN ${this.#table} l ON l.id = net.last ORDER BY l.id`,
      parameters,
    });
    return net.rows as unknown as TriggerReport[];
  }

  /** The rows before or after some reports, in the types of their table's columns; by the ids of reports. */
  async rows(
    manager: EntityManager,
    { tablePath }: EntityMetadata,
    column: 'old_row' | 'new_row',
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, Row>> {
    if (ids.length === 0) return new Map();
    const { rows } = await this.#within(manager).run({
      sql: `SELECT r.*, c.id AS thorn_change FROM ${this.#table} c
       CROSS JOIN LATERAL jsonb_populate_record(NULL::${escapePath(this.#dataSource, tablePath)}, c.${column}) r WHERE c.id = ANY(?)`,
      parameters: [ids],
    });
    return new Map(rows.map((row) => [row['thorn_change'] as string, row]));
  }

  async remove(manager: EntityManager, reports: readonly TriggerReport[]): Promise<void> {
    await this.#within(manager).run({
      sql: `DELETE FROM ${this.#table} c USING ${this.#table} u WHERE u.id = ANY(?) AND ${SAME_ROW}`,
      parameters: [reports.map(({ id }) => id)],
    });
  }

  /**
   * Removes the reports of rows of which this transaction's capture knows everything that triggers say.
   *
   * @returns the reports of the others, by the index of their row among `rows`
   */
  async removeCaptured(
    manager: EntityManager,
    rows: readonly CapturedRow[],
  ): Promise<ReadonlyMap<number, TriggerReport>> {
    const { driver } = this.#dataSource;
    const kept = [...new Set(rows.map((row) => row.kept))];
    const indexes = new Map(kept.map((columns, at) => [columns, at]));
    const parameters: unknown[] = [JSON.stringify(kept)];
    const queries = [...new Set(rows.map(({ plan }) => plan))].map((plan) => {
      const { metadata } = plan;
      const own = rows.flatMap(({ plan: of, id, reports, inserts, removals, kept: w }, i) =>
        of === plan
          ? {
              i,
              n: reports,
              c: inserts,
              d: removals,
              w: indexes.get(w),
              k: databaseKey(metadata, id, driver),
            }
          : [],
      );
      parameters.push(namesOf(metadata), JSON.stringify(own));
      return `SELECT r.i, r.n, r.c, r.d, lists.kept -> r.w AS kept, r.k AS given, ?::text[] AS names, ${keyExpression(metadata, driver)} AS key
        FROM lists, jsonb_to_recordset(?::jsonb) AS r(i int, n int, c int, d int, w int, k jsonb)`;
    });
    const { rows: differing } = await this.#within(manager).run({
      sql: `WITH lists AS (SELECT ?::jsonb AS kept), t AS MATERIALIZED (
         SELECT r.i, r.n, r.c, r.d, c.id, c.old_row IS NULL AS made, c.new_row IS NULL AS gone,
           r.key <> r.given OR (c.old_row IS NOT NULL AND c.new_row IS NOT NULL AND EXISTS (
             SELECT FROM jsonb_array_elements_text(r.kept) AS name WHERE c.old_row -> name IS DISTINCT FROM c.new_row -> name)) AS other
         FROM (${queries.join(' UNION ALL ')}) r JOIN ${this.#table} c
           ON c.tx = txid_current() AND jsonb_hash(c.key) = jsonb_hash(r.key) AND c.key = r.key AND c.entity = ANY(r.names)),
       net AS MATERIALIZED (
         SELECT i, min(id) AS first, array_agg(id) AS ids, coalesce(count(*) = n, true) AND NOT bool_or(other)
           AND count(*) FILTER (WHERE made) = c AND count(*) FILTER (WHERE gone) = d AS agreed FROM t GROUP BY i, n, c, d),
       removed AS (DELETE FROM ${this.#table} WHERE id IN (SELECT unnest(ids) FROM net WHERE agreed))
       SELECT i, first FROM net WHERE NOT agreed`,
      parameters,
    });
    if (differing.length === 0) return new Map();
    const byFirst = new Map(differing.map(({ i, first }) => [first as string, i as number]));
    const units = `SELECT tx, entity, key FROM ${this.#table} WHERE id = ANY(?)`;
    const reports = await this.#net(manager, units, [[...byFirst.keys()]]);
    return new Map(reports.map((report) => [byFirst.get(report.id)!, report]));
  }

  /** Tells whether a trigger reports the changes of an entity. */
  async reports({ tablePath }: EntityMetadata): Promise<boolean> {
    const { dataSource } = this.client;
    const { rows } = await this.client.run({
      sql: 'SELECT 1 FROM pg_trigger WHERE tgrelid = ?::regclass AND tgfoid = ?::regproc',
      parameters: [
        escapePath(dataSource, tablePath),
        ownTablePath(dataSource, 'thorn_report_change'),
      ],
    });
    return rows.length > 0;
  }

  #within(manager: EntityManager): SqlExecutor {
    return this.client.within(manager);
  }
}

/** The names that a trigger may give an entity: those of its class and its table, and of what it extends. */
export function namesOf(metadata: EntityMetadata): string[] {
  const { name, targetName, tableName, parentEntityMetadata: parent } = metadata;
  // TypeORM sets it on children alone.
  const inherited = (parent as EntityMetadata | undefined) ? namesOf(parent) : [];
  return [...new Set([name, targetName, tableName, ...inherited])];
}
