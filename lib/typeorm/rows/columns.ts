import type { EntityMetadata, EntitySubscriberInterface, ObjectLiteral } from 'typeorm';
import { joinKey, keyPart as plainKeyPart } from '../../capture/table/row-key.js';

// TypeORM 0.3 does not export `RelationMetadata`, and its events of queries need a type argument. These types are taken from where
// they occur, so that the published types work with both major versions.

/** A relation of an entity, as TypeORM describes it. */
export type RelationMetadata = EntityMetadata['relations'][number];

/** A column, or a relation that has its key in the row. */
export type Field = EntityMetadata['columns'][number] | RelationMetadata;

/** The event of TypeORM's hook `beforeQuery`. */
export type BeforeQueryEvent = Parameters<NonNullable<EntitySubscriberInterface['beforeQuery']>>[0];

/** The event of TypeORM's hook `afterQuery`. */
export type AfterQueryEvent = Parameters<NonNullable<EntitySubscriberInterface['afterQuery']>>[0];

/** TypeORM does not export the type by name. */
export type Column = EntityMetadata['columns'][number];

/**
 * A text that is equal for equal ids of an entity class. Undefined when a part of the id is missing.
 *
 * `tableRowKey` of `lib/capture` gives the same text for the same row, although it knows the table and not the entity. This
 * matters because `lib/capture` joins the changes of a row by this text, whichever of the two functions has made it.
 */
export function entityRowKey(metadata: EntityMetadata, row: ObjectLiteral): string | undefined {
  return joinKey(metadata.primaryColumns, (column) => partOf(row, column));
}

function partOf(row: ObjectLiteral, column: Column): string | undefined {
  const value: unknown = column.getEntityValue(row);
  return value === undefined || value === null ? undefined : keyPart(value, column);
}

/** One column's part of the text of {@link entityRowKey}. */
export function keyPart(value: unknown, column: Column): string {
  return plainKeyPart(value, {
    type: typeName(column),
    toDatabase: (form) => databaseForm(column, form),
  });
}

/** A value as the transformer of its column gives it to the database. */
export function databaseForm({ transformer }: Column, value: unknown): unknown {
  if (transformer === undefined) return value;
  const all = Array.isArray(transformer) ? transformer : [transformer];
  return all.reduce<unknown>((result, { to }) => to(result), value);
}

/** The type of a column in lower case, also where a class of JavaScript stands for it. */
export function typeName({ type }: Pick<Column, 'type'>): string {
  return typeof type === 'function'
    ? (TYPE_OF_CLASS[(type as { name: string }).name] ?? (type as { name: string }).name)
    : String(type).toLowerCase();
}

const TYPE_OF_CLASS: Readonly<Record<string, string>> = {
  String: 'varchar',
  Number: 'integer',
  Boolean: 'boolean',
  Date: 'datetime',
  Buffer: 'blob',
};
