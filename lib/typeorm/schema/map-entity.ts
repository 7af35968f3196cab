import { Column, Entity, Index, type ValueTransformer } from 'typeorm';
import { MYSQL_ENGINE } from '../../database/schema/schema-sql.js';
import {
  fieldOf,
  type FieldsOf,
  type NewRowOf,
  type TableDefinition,
} from '../../database/schema/table-definition.js';

/** Drivers disagree about bigint: PostgreSQL and MySQL answer text, SQLite a number. */
const AS_NUMBER: ValueTransformer = {
  to: (value: number | null | undefined) => value,
  from: (value: string | number | null) => (value === null ? null : Number(value)),
};

/**
 * The fields of an entity. TypeORM parses a column of JSON, whose text the library alone reads. A class without a field for
 * each column does not compile.
 */
type EntityOf<Table extends TableDefinition> = FieldsOf<{
  [Name in keyof Table['columns']]: Table['columns'][Name]['type'] extends 'json'
    ? unknown
    : NewRowOf<Table>[Name];
}>;

/**
 * Makes a class the entity of a table of the library. Its fields have the names of the columns, in camel case.
 *
 * @returns the class
 */
export function mapEntity<Table extends TableDefinition, Class extends new () => EntityOf<Table>>(
  entity: Class,
  table: Table,
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
  const entity = { [name]: class {} }[name]! as new () => EntityOf<TableDefinition>;
  return mapEntity(entity, table);
}
