import { shownNames } from '../../common/log.js';
import { ThornConfigurationError } from '../../errors/index.js';
import { findDatabase } from '../schema/missing-tables.js';
import type { SchemaPlace } from '../schema/schema-sql.js';
import { OUTBOX_TABLES } from '../schema/thorn-tables.js';
import { CHANGES_TABLE, type Row, type SqlExecutor } from '../sql-client.js';
import type { ReportedTable } from './reported-table.js';
import { readTableShape, type TableShape } from './table-shape.js';
import type { TableTriggers, TriggerNames, TriggerPlan } from './trigger-parts.js';
import type { DialectName } from '../dialect.js';
import { mysqlTriggers } from './mysql-triggers.js';
import { postgresTriggers } from './postgres-triggers.js';
import { sqliteTriggers } from './sqlite-triggers.js';

/** Names a table or a function of the library in SQL. */
export type NamePath = (name: string) => string;

/** A trigger that a database lacks, has in another form, or does not run. */
export interface TriggerFault {
  readonly table: string;
  readonly trigger: string;
  /** `missing`: there is no such trigger, or the user of the connection may not see it. */
  readonly kind: 'missing' | 'disabled' | 'outdated';
}

/**
 * Creates the triggers of tables, and replaces existing ones. On PostgreSQL and SQLite it is all or nothing if the
 * caller has begun a transaction.
 *
 * @throws {@link ThornConfigurationError} for a table that cannot have them, before anything is made
 */
export async function createTriggers(
  executor: SqlExecutor,
  path: NamePath,
  tables: readonly ReportedTable[],
): Promise<void> {
  const planned: Planned[] = [];
  for (const table of tables) planned.push(await planTriggers(executor, path, table));
  for (const { triggers } of planned) await runAll(executor, triggers.create);
}

/** {@link createTriggers} for tables whose triggers are missing or outdated. */
export async function createMissingTriggers(
  executor: SqlExecutor,
  path: NamePath,
  tables: readonly ReportedTable[],
): Promise<void> {
  const outdated: ReportedTable[] = [];
  for (const table of tables) {
    if ((await findTriggerFaults(executor, path, table)).length > 0) outdated.push(table);
  }
  await createTriggers(executor, path, outdated);
}

/** Removes the triggers of tables. Triggers and tables that do not exist are left out. */
export async function dropTriggers(
  executor: SqlExecutor,
  path: NamePath,
  tables: readonly Pick<ReportedTable, 'name'>[],
): Promise<void> {
  for (const { name } of tables) {
    const shape = await readTableShape(executor, name);
    if (shape === undefined) continue;
    const table = { name, key: shape.columns.slice(0, 1).map((column) => column.name), omit: [] };
    const { drop } = await triggersIn(executor, path, { table, shape });
    await runAll(executor, drop);
  }
}

/** Compares the triggers of a table with the triggers that its declaration needs. */
export async function findTriggerFaults(
  executor: SqlExecutor,
  path: NamePath,
  table: ReportedTable,
): Promise<readonly TriggerFault[]> {
  const { triggers, shape } = await planTriggers(executor, path, table);
  const { parts } = triggers;
  const found = await readTriggers(executor, shape);
  // MariaDB spells the texts in a trigger in its own way.
  const shown = (text: string) =>
    executor.dialect.name === 'mysql' ? text.replaceAll(/['\\]/g, '') : text;
  return parts.flatMap(({ name, text }) => {
    const stored = found.get(name);
    const kind = stored === undefined ? 'missing' : differenceOf(shown(stored), shown(text));
    return kind === undefined ? [] : [{ table: table.name, trigger: name, kind }];
  });
}

function differenceOf(stored: string, needed: string): 'disabled' | 'outdated' | undefined {
  if (stored === needed) return undefined;
  return stored === `${needed} ${DISABLED}` ? 'disabled' : 'outdated';
}

const CAPTURED_TABLE = OUTBOX_TABLES.capturedTables.name;

/** Ends the text of a trigger of PostgreSQL that does not run. */
const DISABLED = 'disabled';

/** The triggers of a table of a database. */
interface Planned {
  readonly shape: TableShape;
  readonly triggers: TableTriggers;
}

/**
 * @param place the place where a migration makes the library's tables, for a database without them
 * @throws {@link ThornConfigurationError} for a table that cannot have triggers, and for a database without the library's
 *   tables where no place is given
 */
export async function planTriggers(
  executor: SqlExecutor,
  path: NamePath,
  table: ReportedTable,
  place?: SchemaPlace,
): Promise<Planned> {
  const shape = await readTableShape(executor, table.name);
  assertReportable(table, shape);
  return { shape, triggers: await triggersIn(executor, path, { table, shape, place }) };
}

async function triggersIn(
  executor: SqlExecutor,
  path: NamePath,
  { place, ...planned }: Pick<TriggerPlan, 'table' | 'shape'> & { place?: SchemaPlace | undefined },
): Promise<TableTriggers> {
  const { dialect } = executor;
  const names = await findNames(executor, path, place);
  const isMariadb = (await findDatabase(executor)) === 'mariadb';
  return triggersOf({ dialect, ...planned, names, isMariadb });
}

function assertReportable(
  { name, key, omit, declaration = name }: ReportedTable,
  shape: TableShape | undefined,
): asserts shape is TableShape {
  const refuse = (what: string): never => {
    const message = `Events of ${declaration}: ${what}`;
    throw new ThornConfigurationError('THORN_DECLARATION_INVALID', message, { table: name });
  };
  const own = [CHANGES_TABLE, ...Object.values(OUTBOX_TABLES).map((table) => table.name)];
  if (own.some((table) => name.endsWith(table))) {
    return refuse(
      'this is a table of Thorn: its triggers would report their own writes. Name a table of the application',
    );
  }
  if (shape === undefined) {
    return refuse(
      `there is no table ${name}. Correct the name, with its schema in front where that is another one, or make the table first`,
    );
  }
  if (shape.kind !== 'table') {
    return refuse(
      `this is a ${shape.kind}, which has no rows of its own. Name the table that has the rows`,
    );
  }
  const names = shape.columns.map((column) => column.name);
  const unknown = [...key, ...omit].find((column) => !names.includes(column));
  if (unknown !== undefined) {
    refuse(`there is no column ${unknown}. The columns are ${shownNames(names)}`);
  }
  if (key.length === 0) refuse("name the columns of its key, such as key: 'id'");
  const omitted = key.find((column) => omit.includes(column));
  if (omitted !== undefined)
    refuse(`omit names ${omitted}, a column of the key. Leave it out there`);
  if (!shape.uniqueKeys.some((columns) => columns.every((column) => key.includes(column)))) {
    const unique = new Set(shape.uniqueKeys.map((columns) => columns.join('+')));
    refuse(
      `the key ${key.join(', ')} is not unique. Name the columns of the primary key or of a unique index of all rows: ` +
        ([...unique].join(' or ') || 'the table has none'),
    );
  }
  const empty = shape.columns.find((column) => key.includes(column.name) && column.isNullable);
  if (empty !== undefined) {
    refuse(
      `the column ${empty.name} of the key may be null, so rows could not be told apart. Make it NOT NULL`,
    );
  }
}

/**
 * Finds the library's tables. On PostgreSQL their schema is included, because the writer's connection may have another
 * search path.
 *
 * @param place see {@link planTriggers}
 * @throws {@link ThornConfigurationError} without them
 */
async function findNames(
  executor: SqlExecutor,
  path: NamePath,
  place: SchemaPlace | undefined,
): Promise<TriggerNames> {
  const [changes, captured] = [path(CHANGES_TABLE), path(CAPTURED_TABLE)];
  const { dialect } = executor;
  if (dialect.name !== 'postgres') {
    for (const table of place === undefined ? [changes, captured] : []) {
      const sql = `SELECT 1 FROM ${table} WHERE 1 = 0`;
      await executor
        .run({ sql, parameters: [], answersRows: true })
        .catch(async (error: unknown) => {
          throw await missing(executor, table, error);
        });
    }
    return { changes, captured, prefix: '', functionPath: (name) => name };
  }
  const ofChanges = await placeOf(executor, { path, name: CHANGES_TABLE, planned: place });
  const ofCaptured = await placeOf(executor, { path, name: CAPTURED_TABLE, planned: place });
  const named = ({ schema, prefix = '' }: SchemaPlace, name: string) =>
    `${dialect.identifier(schema!)}.${dialect.identifier(prefix + name)}`;
  return {
    changes: named(ofChanges, CHANGES_TABLE),
    captured: named(ofCaptured, CAPTURED_TABLE),
    prefix: ofChanges.prefix ?? '',
    functionPath: (name) => named({ schema: ofChanges.schema }, name),
  };
}

/** The place of a table of the library on PostgreSQL; where the database lacks it, the place that is `planned`. */
async function placeOf(
  executor: SqlExecutor,
  { path, name, planned }: { path: NamePath; name: string; planned: SchemaPlace | undefined },
): Promise<SchemaPlace> {
  const [row] = await rowsOf(
    executor,
    `SELECT n.nspname AS schema, c.relname AS found, current_schema() AS current FROM (SELECT to_regclass(CAST(? AS text)) AS oid) AS t
     LEFT JOIN pg_catalog.pg_class c ON c.oid = t.oid LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`,
    path(name),
  );
  const { schema, found, current } = row as Record<'schema' | 'found' | 'current', string | null>;
  if (schema !== null) return { schema, prefix: found!.slice(0, -name.length) };
  if (planned === undefined) throw await missing(executor, path(name));
  return { ...planned, schema: planned.schema ?? current! };
}

async function missing(executor: SqlExecutor, path: string, cause?: unknown): Promise<Error> {
  const table = path.replaceAll(/["`]/g, '');
  return new ThornConfigurationError(
    'THORN_TABLES_MISSING',
    `The database has no table ${table}, which triggers write to. Run the SQL that ` +
      `\`npx thorn migrations ${await findDatabase(executor)}\` prints first.`,
    { table },
    cause,
  );
}

/**
 * Reads the triggers of a table, and on PostgreSQL the functions that they call. The result has the stored text of each
 * by its name.
 */
async function readTriggers(
  executor: SqlExecutor,
  { schema, name }: TableShape,
): Promise<ReadonlyMap<string, string>> {
  const rows = await rowsOf(executor, ...questionOf(executor, schema, name));
  return new Map(rows.map((row) => [String(row['name']), String(row['text'])]));
}

function questionOf(
  { dialect }: SqlExecutor,
  schema: string | null,
  table: string,
): [sql: string, ...parameters: (string | null)[]] {
  switch (dialect.name) {
    case 'sqlite':
      return [
        "SELECT name, sql AS text FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE",
        table,
      ];
    case 'mysql':
      return [
        `SELECT trigger_name AS name, action_statement AS text FROM information_schema.triggers
         WHERE event_object_schema = COALESCE(?, DATABASE()) AND event_object_table = ?`,
        schema,
        table,
      ];
    case 'postgres':
      return [
        `WITH made AS (SELECT t.*, p.proname, p.prosrc, p.prosecdef, p.proconfig FROM pg_catalog.pg_trigger t
           JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
           WHERE t.tgrelid = to_regclass(CAST(? AS text)) AND t.tgname IN ('thorn_insert', 'thorn_update', 'thorn_delete'))
         SELECT tgname AS name, concat_ws(' ', tgtype, COALESCE(tgoldtable, '-'), COALESCE(tgnewtable, '-'), proname,
           CASE WHEN tgenabled IN ('O', 'A') THEN NULL ELSE '${DISABLED}' END) AS text FROM made
         UNION ALL SELECT DISTINCT proname, concat(prosrc, CASE WHEN prosecdef THEN '' ELSE ' as the caller' END, array_to_string(proconfig, ' ')) FROM made`,
        `${dialect.identifier(schema!)}.${dialect.identifier(table)}`,
      ];
  }
}

async function rowsOf(
  executor: SqlExecutor,
  sql: string,
  ...parameters: (string | null)[]
): Promise<readonly Row[]> {
  return (await executor.run({ sql, parameters, answersRows: true })).rows;
}

async function runAll(executor: SqlExecutor, statements: readonly string[]): Promise<void> {
  for (const sql of statements) await executor.run({ sql, parameters: [] });
}

const MADE_BY: Readonly<Record<DialectName, (plan: TriggerPlan) => TableTriggers>> = {
  postgres: postgresTriggers,
  sqlite: sqliteTriggers,
  mysql: mysqlTriggers,
};

function triggersOf(plan: TriggerPlan): TableTriggers {
  return MADE_BY[plan.dialect.name](plan);
}
