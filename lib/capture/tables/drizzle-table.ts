import { isObject } from '../../common/objects.js';
import type { DialectName } from '../../database/dialect.js';
import { readEach } from '../../database/triggers/reported-values.js';
import { missingPackages } from '../../errors/require-packages.js';

/** The part of a table of Drizzle that is used: the type of its rows. */
export interface DrizzleTable<Row extends object = object> {
  readonly $inferSelect: Row;
}

/** A table as Drizzle describes it. */
export interface DescribedTable {
  /** The name, such as `orders`, or with a schema `shop.orders`. */
  readonly name: string;
  readonly dialect: DialectName;
  /** The properties of its primary key. */
  readonly key: readonly string[];
  /** The names of columns in the database by their properties. */
  readonly columns: Readonly<Record<string, string>>;
  /**
   * For each property, a function that converts the value that a trigger reports into the value that Drizzle's types
   * promise.
   */
  readonly readers: Readonly<Record<string, (value: unknown) => unknown>>;
}

interface DrizzleColumn {
  readonly name: string;
  readonly primary: boolean;
  readonly dataType: string;
  readonly mode?: string;
  /** The column of an array's elements, until Drizzle 1. Arrays of later versions are described as their elements are. */
  readonly baseColumn?: DrizzleColumn;
  getSQLType(): string;
}

interface Core {
  getTableConfig(table: object): {
    readonly name: string;
    readonly schema?: string | undefined;
    readonly primaryKeys: readonly { readonly columns: readonly DrizzleColumn[] }[];
  };
}

interface Drizzle {
  is(value: unknown, type: unknown): boolean;
  getTableColumns(table: object): Readonly<Record<string, DrizzleColumn>>;
  readonly cores: readonly (readonly [string, DialectName, Core])[];
}

/** @returns undefined when the value is not a table of Drizzle */
export function describeDrizzleTable(table: unknown): DescribedTable | undefined {
  // Drizzle marks its tables so, and nothing else need load it.
  if (!isObject(table) || !(Symbol.for('drizzle:IsDrizzleTable') in table)) return undefined;
  const { is, getTableColumns, cores } = loadDrizzle();
  for (const [type, dialect, core] of cores) {
    if (!is(table, (core as unknown as Record<string, unknown>)[type])) continue;
    const { name, schema, primaryKeys } = core.getTableConfig(table);
    const columns = Object.entries(getTableColumns(table));
    const ofTable = primaryKeys[0]?.columns.map((column) => column.name) ?? [];
    return {
      name: schema === undefined ? name : `${schema}.${name}`,
      dialect,
      key: columns
        .filter(([, column]) => column.primary || ofTable.includes(column.name))
        .map(([property]) => property),
      columns: Object.fromEntries(columns.map(([property, column]) => [property, column.name])),
      readers: Object.fromEntries(
        columns.flatMap(([property, column]) => {
          const read = readerOf(elementOf(column), dialect === 'sqlite');
          return read === undefined ? [] : [[property, (value) => readEach(value, read)] as const];
        }),
      ),
    };
  }
  return undefined;
}

/** Arrays may be nested. */
function elementOf(column: DrizzleColumn): DrizzleColumn {
  return column.baseColumn === undefined ? column : elementOf(column.baseColumn);
}

/**
 * Drizzle's types promise numbers that JSON cannot hold, points, and on SQLite booleans and dates, which SQLite does not
 * have.
 */
function readerOf(column: DrizzleColumn, isSqlite: boolean) {
  const { dataType, mode } = column;
  if (column.getSQLType() === 'point' && dataType !== 'custom') {
    return ifIs('string', (text) => pointOf(text as string, dataType.startsWith('array')));
  }
  if (dataType.startsWith('number')) return ifIs('string', Number);
  if (dataType === 'boolean') return ifIs('number', (value) => value !== 0);
  if (!isSqlite) return undefined;
  if (/\bdate\b/.test(dataType)) {
    const unit = mode === 'timestamp_ms' ? 1 : 1000;
    return ifIs('number', (value) => new Date((value as number) * unit).toISOString());
  }
  // Triggers write bytes in base64. Drizzle keeps the text of a value in them.
  const isBlob = column.getSQLType() === 'blob';
  const textOf = (value: unknown) =>
    isBlob ? Buffer.from(value as string, 'base64').toString() : (value as string);
  if (/\bjson\b/.test(dataType)) {
    return ifIs('string', (value) => JSON.parse(textOf(value)) as unknown);
  }
  return isBlob && /\bbigint\b/.test(dataType) ? ifIs('string', textOf) : undefined;
}

/** PostgreSQL writes `(1.5,2)`. */
function pointOf(text: string, isTuple: boolean) {
  const [x, y] = text.slice(1, -1).split(',').map(Number);
  return isTuple ? [x, y] : { x, y };
}

function ifIs(type: 'string' | 'number', read: (value: unknown) => unknown) {
  return (value: unknown): unknown => (typeof value === type ? read(value) : value);
}

/** Drizzle is an optional package, and loaded with its first table. */
function loadDrizzle(): Drizzle {
  // Bundlers leave out a package that is not there, where its absence is caught.
  try {
    return {
      ...(require('drizzle-orm') as Drizzle),
      cores: [
        ['PgTable', 'postgres', require('drizzle-orm/pg-core') as Core],
        ['MySqlTable', 'mysql', require('drizzle-orm/mysql-core') as Core],
        ['SQLiteTable', 'sqlite', require('drizzle-orm/sqlite-core') as Core],
      ],
    };
  } catch {
    throw missingPackages('defineTableEvents() with a table of Drizzle', ['drizzle-orm']);
  }
}
