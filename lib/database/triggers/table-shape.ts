import { findDatabase } from '../schema/missing-tables.js';
import type { Row, SqlExecutor } from '../sql-client.js';

/** A column as the database describes it. */
export interface DatabaseColumn {
  readonly name: string;
  /**
   * The type in lower case, such as `varchar`; for an array, the type of its elements. `tinyint(1)` and `json` are
   * types of their own.
   */
  readonly type: string;
  readonly isArray: boolean;
  readonly isNullable: boolean;
}

/** The description of a table in the database. */
export interface TableShape {
  /** On MariaDB null when it is the schema of the connection; on SQLite always null. */
  readonly schema: string | null;
  readonly name: string;
  /** The table in SQL: quoted, with its schema. */
  readonly path: string;
  /** `table`, or the kind of another object with this name, such as `view`. */
  readonly kind: string;
  readonly columns: readonly DatabaseColumn[];
  /** The columns of its primary key, and of each unique index of all rows. */
  readonly uniqueKeys: readonly (readonly string[])[];
}

/** The schema and the name of a table. */
interface SchemaTable {
  readonly schema: string | null;
  readonly table: string;
}

/**
 * Reads the description of a table from the database.
 *
 * @param name of the table, with its schema and a dot in front where it is not the connection's own
 * @returns undefined when there is none
 */
export async function readTableShape(
  executor: SqlExecutor,
  name: string,
): Promise<TableShape | undefined> {
  const { name: dialect } = executor.dialect;
  if (dialect === 'sqlite') return sqliteShape(executor, name);
  const dot = name.indexOf('.');
  const candidates: SchemaTable[] = [{ schema: null, table: name }];
  // A table with a dot in its name is rare, and told by being there.
  if (dot > 0) candidates.push({ schema: name.slice(0, dot), table: name.slice(dot + 1) });
  const read = dialect === 'postgres' ? postgresShape : mysqlShape;
  for (const candidate of candidates) {
    const shape = await read(executor, candidate);
    if (shape !== undefined) return shape;
  }
  return undefined;
}

const POSTGRES_KINDS: Readonly<Record<string, string>> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
};

async function postgresShape(
  executor: SqlExecutor,
  { schema, table }: SchemaTable,
): Promise<TableShape | undefined> {
  const { dialect } = executor;
  const quoted = [...(schema === null ? [] : [schema]), table].map((part) =>
    dialect.identifier(part),
  );
  const [found] = await read(
    executor,
    `SELECT CAST(c.oid AS text) AS oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(CAST(? AS text))`,
    quoted.join('.'),
  );
  if (found === undefined) return undefined;
  const oid = String(found['oid']);
  const columns = await read(
    executor,
    `WITH RECURSIVE types AS (
       SELECT attnum, atttypid AS type FROM pg_catalog.pg_attribute
       WHERE attrelid = CAST(CAST(? AS text) AS oid) AND attnum > 0 AND NOT attisdropped
       UNION ALL SELECT types.attnum, t.typbasetype FROM types JOIN pg_catalog.pg_type t ON t.oid = types.type WHERE t.typtype = 'd')
     SELECT a.attname AS name, COALESCE(e.typname, t.typname) AS type, CASE WHEN e.oid IS NULL THEN 0 ELSE 1 END AS is_array,
       CASE WHEN a.attnotnull THEN 0 ELSE 1 END AS is_nullable
     FROM types JOIN pg_catalog.pg_type t ON t.oid = types.type AND t.typtype <> 'd'
     JOIN pg_catalog.pg_attribute a ON a.attrelid = CAST(CAST(? AS text) AS oid) AND a.attnum = types.attnum
     LEFT JOIN pg_catalog.pg_type e ON t.typcategory = 'A' AND e.oid = t.typelem ORDER BY a.attnum`,
    oid,
    oid,
  );
  const keys = await read(
    executor,
    `SELECT CAST(i.indexrelid AS text) AS key, a.attname AS name FROM pg_catalog.pg_index i
     JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY((CAST(i.indkey AS int2[]))[0:i.indnkeyatts - 1])
     WHERE i.indrelid = CAST(CAST(? AS text) AS oid) AND i.indisunique AND i.indisvalid AND i.indimmediate
       AND i.indpred IS NULL AND i.indexprs IS NULL ORDER BY 1, a.attnum`,
    oid,
  );
  return {
    schema: String(found['schema']),
    name: String(found['name']),
    path: [found['schema'], found['name']]
      .map((part) => dialect.identifier(String(part)))
      .join('.'),
    kind: POSTGRES_KINDS[String(found['kind'])] ?? 'no table',
    columns: columns.map(columnOf),
    uniqueKeys: grouped(keys),
  };
}

async function mysqlShape(
  executor: SqlExecutor,
  { schema, table }: SchemaTable,
): Promise<TableShape | undefined> {
  const { dialect } = executor;
  const here = `table_schema = COALESCE(?, DATABASE()) AND table_name = ?`;
  const [found] = await read(
    executor,
    `SELECT table_schema AS \`schema\`, table_name AS name, table_type AS kind FROM information_schema.tables WHERE ${here}`,
    schema,
    table,
  );
  if (found === undefined) return undefined;
  // JSON of MariaDB is a text with a check.
  const isJson =
    (await findDatabase(executor)) === 'mariadb'
      ? `EXISTS (SELECT 1 FROM information_schema.check_constraints k WHERE k.constraint_schema = c.table_schema
           AND k.table_name = c.table_name AND k.check_clause = CONCAT('json_valid(\`', c.column_name, '\`)'))`
      : 'FALSE';
  const columns = await read(
    executor,
    `SELECT c.column_name AS name, CASE WHEN c.column_type = 'tinyint(1)' THEN c.column_type
       WHEN ${isJson} THEN 'json' ELSE c.data_type END AS type,
       0 AS is_array, c.is_nullable = 'YES' AS is_nullable FROM information_schema.columns c
     WHERE ${here} ORDER BY c.ordinal_position`,
    schema,
    table,
  );
  const keys = await read(
    executor,
    `SELECT index_name AS \`key\`, column_name AS name FROM information_schema.statistics s WHERE ${here} AND non_unique = 0
       AND NOT EXISTS (SELECT 1 FROM information_schema.statistics o WHERE o.table_schema = s.table_schema
         AND o.table_name = s.table_name AND o.index_name = s.index_name AND (o.sub_part IS NOT NULL OR o.column_name IS NULL))
     ORDER BY index_name, seq_in_index`,
    schema,
    table,
  );
  const parts = [...(schema === null ? [] : [found['schema']]), found['name']];
  return {
    schema,
    name: String(found['name']),
    path: parts.map((part) => dialect.identifier(String(part))).join('.'),
    kind: String(found['kind']) === 'BASE TABLE' ? 'table' : String(found['kind']).toLowerCase(),
    columns: columns.map(columnOf),
    uniqueKeys: grouped(keys),
  };
}

async function sqliteShape(executor: SqlExecutor, table: string): Promise<TableShape | undefined> {
  const [found] = await read(
    executor,
    "SELECT name, type AS kind FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE",
    table,
  );
  if (found === undefined) return undefined;
  const columns = await read(
    executor,
    `SELECT name, lower(type) AS type, 0 AS is_array, "notnull" = 0 AND pk = 0 AS is_nullable, pk FROM pragma_table_xinfo(?)
     WHERE hidden <> 1 ORDER BY cid`,
    table,
  );
  const unique = await read(
    executor,
    `SELECT l.name AS key, i.name FROM pragma_index_list(?) l JOIN pragma_index_info(l.name) i
     WHERE l."unique" = 1 AND l.partial = 0 ORDER BY l.seq, i.seqno`,
    table,
  );
  const primary = columns.filter(({ pk }) => Number(pk) > 0).map(({ name }) => String(name));
  return {
    schema: null,
    name: String(found['name']),
    path: executor.dialect.identifier(String(found['name'])),
    kind: found['kind'] === 'table' ? 'table' : String(found['kind']),
    // A type may have a length: varchar(20).
    columns: columns.map((row) =>
      columnOf({ ...row, type: String(row['type']).replace(/\s*\(.*$/, '') }),
    ),
    // An expression has no name.
    uniqueKeys: [primary, ...grouped(unique).filter((key) => !key.includes('null'))].filter(
      (key) => key.length > 0,
    ),
  };
}

async function read(
  executor: SqlExecutor,
  sql: string,
  ...parameters: (string | null)[]
): Promise<readonly Row[]> {
  return (await executor.run({ sql, parameters, answersRows: true })).rows;
}

function columnOf(row: Row): DatabaseColumn {
  return {
    name: String(row['name']),
    type: String(row['type']).toLowerCase(),
    isArray: Number(row['is_array']) === 1,
    isNullable: Number(row['is_nullable']) === 1,
  };
}

function grouped(rows: readonly Row[]): readonly (readonly string[])[] {
  const keys = new Map<string, string[]>();
  for (const { key, name } of rows) {
    keys.set(String(key), [...(keys.get(String(key)) ?? []), String(name)]);
  }
  return [...keys.values()];
}
