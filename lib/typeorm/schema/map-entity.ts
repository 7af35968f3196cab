import { Column, Entity, Index, type ValueTransformer } from 'typeorm';
import { MYSQL_ENGINE } from '../../database/schema/schema-sql.js';
import type { TableDefinition } from '../../database/schema/table-definition.js';

/** Drivers disagree about bigint: PostgreSQL and MySQL answer text, SQLite a number. */
const AS_NUMBER: ValueTransformer = {
  to: (value: number | null | undefined) => value,
  from: (value: string | number | null) => (value === null ? null : Number(value)),
};

/**
 * Makes a class the entity of a table of the library. Its fields have the names of the columns, in camel case.
 *
 * @returns the class
 */
export function mapEntity<Class extends new () => object>(
  entity: Class,
  table: TableDefinition,
): Class {
  Entity(table.name, { engine: MYSQL_ENGINE })(entity);
  for (const [name, column] of Object.entries(table.columns)) {
    const options = {
      ...column,
      name,
      primary: table.primaryKey.includes(name),
      ...(column.type === 'bigint' && { transformer: AS_NUMBER }),
    };
    Column(options)(entity.prototype as object, fieldOf(name));
  }
  for (const { columns, unique = false, where } of table.indexes) {
    Index(columns.map(fieldOf), { unique, ...(where !== undefined && { where }) })(entity);
  }
  return entity;
}

/** Makes the entity of a table that the library alone reads, and never by TypeORM. */
export function makeEntity(table: TableDefinition): new () => object {
  const name = fieldOf(`_${table.name}`);
  return mapEntity({ [name]: class {} }[name]!, table);
}

function fieldOf(column: string): string {
  return column.replaceAll(/_(\w)/g, (_, first: string) => first.toUpperCase());
}
