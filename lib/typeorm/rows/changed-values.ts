import type { EntityMetadata, ObjectLiteral, UpdateEvent } from 'typeorm';
import { UNKNOWN_VALUE } from '../../capture/table/row-table.js';
import type { Column } from './row-key.js';
import type { RelationMetadata } from './typeorm-types.js';

/** A column or relation that an update has set, with the value at that moment: the entity may change afterwards. */
export interface ChangedValue {
  readonly of: Column | RelationMetadata;
  readonly value: unknown;
}

/** The date of a row that is inserted as one that was softly removed; nothing of others. */
export function removalOf(
  { deleteDateColumn }: EntityMetadata,
  row: ObjectLiteral,
): ChangedValue[] {
  const value: unknown = deleteDateColumn?.getEntityValue(row);
  if (deleteDateColumn === undefined || value === undefined || value === null) return [];
  return [{ of: deleteDateColumn, value: typeof value === 'function' ? UNKNOWN_VALUE : value }];
}

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
