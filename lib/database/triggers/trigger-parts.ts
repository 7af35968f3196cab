import { createHash } from 'node:crypto';
import type { Dialect } from '../dialect.js';
import type { ReportedTable } from './reported-table.js';
import type { TableShape } from './table-shape.js';

/** The table, its columns and the names, from which its triggers are made. */
export interface TriggerPlan {
  readonly dialect: Dialect;
  readonly table: ReportedTable;
  readonly shape: TableShape;
  readonly names: TriggerNames;
  /** True on MariaDB, which replaces a trigger in one statement; MySQL does not. */
  readonly isMariadb: boolean;
}

/** The names of the library's tables that triggers use, in SQL. */
export interface TriggerNames {
  readonly changes: string;
  readonly captured: string;
  /** The prefix of the names of the library's tables. */
  readonly prefix: string;
  /** Names a function, as PostgreSQL alone has them. */
  readonly functionPath: (name: string) => string;
}

/** A trigger, or the function that the triggers of a table call. */
interface TriggerPart {
  readonly name: string;
  /** The text that the database stores. A trigger of an older declaration has another text. */
  readonly text: string;
}

/** The triggers of a table. */
export interface TableTriggers {
  /** The statements that create the triggers and replace existing ones. */
  readonly create: readonly string[];
  readonly drop: readonly string[];
  readonly parts: readonly TriggerPart[];
}

export type TriggeringEvent = 'insert' | 'update' | 'delete';

/** The columns whose values are written down. */
export function reportedColumns({ table, shape }: TriggerPlan): readonly string[] {
  return shape.columns.map(({ name }) => name).filter((name) => !table.omit.includes(name));
}

/** A name that fits into `most` bytes, and that no other name of a table shares. */
export function fittingName(prefix: string, table: string, most: number): string {
  const name = `${prefix}${table}`;
  if (Buffer.byteLength(name) <= most) return name;
  return `${prefix}${createHash('sha256').update(table).digest('hex').slice(0, 32)}`;
}

/** A text in SQL of SQLite. */
export function textLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * The number of a table's advisory lock on PostgreSQL, a bigint as text. While no subscriber hears the table, its
 * triggers hold the lock shared. The first subscription takes it exclusively.
 *
 * @param name that the declaration gives the table
 */
export function tableLock(name: string): string {
  return String(createHash('sha256').update(`thorn ${name}`).digest().readBigInt64BE());
}
