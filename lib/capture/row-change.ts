import type { EntityMetadata, ObjectLiteral, RelationMetadata } from 'typeorm';
import type { EntityPlan, LinkPlan } from './entity-plan.js';

/** TypeORM does not export the type by name. */
export type Column = EntityMetadata['columns'][number];

/** One thing that TypeORM did to one row, as collected in an after-hook. */
export interface RowChange {
  readonly type: 'row';
  readonly did: 'insert' | 'update' | 'remove' | 'soft-remove' | 'recover';
  readonly plan: EntityPlan;
  /** Identifies the row among those of its class; see {@link rowKey}. */
  readonly key: string;
  readonly id: ObjectLiteral;
  /** The row before; undefined on insert. */
  readonly old: ObjectLiteral | undefined;
  /** Whether {@link old} was read with every relation and column that the events ask for. */
  readonly oldIsComplete: boolean;
  /** The values that an update has set. */
  readonly values: readonly ChangedValue[];
}

/** A column or relation that an update has set, with the value at that moment: the entity may change afterwards. */
export interface ChangedValue {
  readonly of: Column | RelationMetadata;
  readonly value: unknown;
}

/** One link of a many-to-many relation that was made or cut, seen from a row whose events ask for it. */
export interface LinkChange {
  readonly type: 'link';
  readonly did: 'link' | 'unlink';
  readonly plan: LinkPlan;
  readonly key: string;
  readonly id: ObjectLiteral;
  /** The row at the other end. */
  readonly relatedKey: string;
  readonly relatedId: ObjectLiteral;
}

/** A text that is equal for equal ids of a class. Undefined when a part of the id is missing. */
export function rowKey(metadata: EntityMetadata, row: ObjectLiteral): string | undefined {
  const parts: string[] = [];
  for (const column of metadata.primaryColumns) {
    const value: unknown = column.getEntityValue(row);
    if (value === undefined || value === null) return undefined;
    parts.push(keyPart(value, column));
  }
  return parts.length === 1 ? parts[0] : JSON.stringify(parts);
}

function keyPart(value: unknown, column: Column): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Date) return value.toISOString();
  // Databases answer a uuid in lower case, however it was given.
  if (column.type === 'uuid') return String(value).toLowerCase();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
