import type { DialectName } from '../../database/dialect.js';

const ENTITY_KIND: unique symbol = Symbol.for('drizzle:entityKind');
const DIALECTS: Readonly<Record<string, DialectName>> = {
  Pg: 'postgres',
  MySql: 'mysql',
  BaseSQLite: 'sqlite',
};

/** The names that Drizzle gives a class and those that it extends. */
export function kindsOf(object: object): readonly string[] {
  const kinds: string[] = [];
  let type = object?.constructor as { readonly [ENTITY_KIND]?: string };
  for (; type?.[ENTITY_KIND] !== undefined; type = Object.getPrototypeOf(type) as typeof type) {
    kinds.push(type[ENTITY_KIND]);
  }
  return kinds;
}

/** The database that a database or a transaction of Drizzle is of. */
export function drizzleDialect(object: object): DialectName | undefined {
  const kinds = kindsOf(object);
  const known = Object.keys(DIALECTS).find((start) => kinds.some((kind) => kind.startsWith(start)));
  return DIALECTS[known ?? ''];
}
