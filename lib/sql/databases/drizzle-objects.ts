import type { SqliteHandle } from '../../database/sql-driver.js';
import type { ClientDatabase } from './client-database.js';
import { databaseNamed, DATABASES } from './databases.js';
import type { TransactionStatus } from './postgres.js';

/** Properties that Drizzle's types leave out, or have for some drivers only. */
export interface DrizzleInternals {
  /** The client of the driver: a pool, or one connection. */
  readonly $client?: object;
  /** The primary database, which `withReplicas()` adds. */
  readonly $primary?: object;
  /** The dialect. A database and its transactions share one object. */
  readonly dialect?: object;
  readonly session?: { readonly client?: TransactionStatus & SqliteHandle };
}

const ENTITY_KIND: unique symbol = Symbol.for('drizzle:entityKind');

/** The names that Drizzle gives to the class of an object, and to the classes that it extends. */
export function kindsOf(object: object): readonly string[] {
  const kinds: string[] = [];
  let type = object?.constructor as { readonly [ENTITY_KIND]?: string };
  for (; type?.[ENTITY_KIND] !== undefined; type = Object.getPrototypeOf(type) as typeof type) {
    kinds.push(type[ENTITY_KIND]);
  }
  return kinds;
}

/** The error that Drizzle throws for a statement that the database refuses. */
interface DrizzleQueryError {
  readonly query?: string;
  readonly cause?: unknown;
  readonly constructor: new (query: string, params: unknown[], cause: unknown) => Error;
}

/**
 * The error of the database that Drizzle has wrapped. The text of Drizzle's error has all values of the statement, and
 * the values of messages may be secrets.
 */
export function withoutParams(error: unknown): unknown {
  const { query, cause, constructor: QueryError } = error as DrizzleQueryError;
  return query === undefined || cause === undefined ? error : new QueryError(query, [], cause);
}

/** @param databases the databases that are possible */
export function drizzleDatabase(
  object: object,
  databases: readonly ClientDatabase[],
): ClientDatabase {
  const kinds = kindsOf(object);
  const isStart = (name: string) => kinds.some((kind) => kind.startsWith(name));
  const name = DATABASES.flatMap(({ names }) => names).find(isStart);
  return databaseNamed('fromDrizzle()', 'The database', databases, name);
}
