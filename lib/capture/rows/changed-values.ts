import type { ObjectLiteral, UpdateEvent } from 'typeorm';
import type { Column } from './row-key.js';
import type { RelationMetadata } from './typeorm-types.js';

/** The kind of write that TypeORM made to a row. */
export type RowWrite = 'insert' | 'update' | 'remove' | 'soft-remove' | 'recover';

/** A column or relation that an update has set, with the value at that moment: the entity may change afterwards. */
export interface ChangedValue {
  readonly of: Column | RelationMetadata;
  readonly value: unknown;
}

/** Stands for a value that only the database knows: that of an SQL expression. */
export const UNKNOWN_VALUE: unique symbol = Symbol('unknown');

/** The values that an update has set, each column and relation once. */
export function changedValues({
  entity,
  updatedColumns = [],
  updatedRelations = [],
}: Partial<UpdateEvent<ObjectLiteral>>): ChangedValue[] {
  if (entity === undefined) return [];
  return [...new Set([...updatedColumns, ...updatedRelations])].map((of) => ({
    of,
    value: of.getEntityValue(entity) as unknown,
  }));
}
