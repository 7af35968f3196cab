import type { EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import { RowChange } from '../../capture/changes/row-change.js';
import { besideColumns, type BesideColumns } from '../../capture/plan/row-paths.js';
import { type ChangedValue, setRelation } from '../rows/entity-values.js';
import { entityRowKey, type RelationMetadata } from '../rows/columns.js';
import { readRows } from '../rows/row-reader.js';
import type { EntityPlan } from './entity-plan.js';

/**
 * Reads rows that a write is about to hit with what events ask for besides their columns: a read after the write could not
 * tell it.
 *
 * @param relations whose values the rows hold
 * @returns none when events ask for no more than columns
 */
export async function readComplete(
  manager: EntityManager,
  metadata: EntityMetadata,
  rows: readonly ObjectLiteral[],
  events: readonly BesideColumns[],
  relations: readonly RelationMetadata[],
): Promise<ReadonlyMap<string, ObjectLiteral>> {
  const beside = besideColumns(events);
  if (beside.joins.length + beside.hidden.length === 0) return new Map();
  const complete = await readRows(manager, { metadata, ids: rows, ...beside });
  for (const row of rows) {
    const found = complete.get(entityRowKey(metadata, row)!);
    for (const relation of found === undefined ? [] : relations) {
      if (relation.getEntityValue(found!) === undefined) {
        setRelation(found!, relation, relation.getEntityValue(row));
      }
    }
  }
  return complete;
}

/** The change that one write makes to rows of one entity. */
interface RowsChange {
  readonly did: RowChange['did'];
  readonly plan: EntityPlan;
  readonly values: readonly ChangedValue[];
}

/** @param complete the rows as {@link readComplete} reads them */
export function changesOfRows(
  { did, plan, values }: RowsChange,
  rows: readonly ObjectLiteral[],
  complete?: ReadonlyMap<string, ObjectLiteral>,
): RowChange[] {
  const changed = plan.table.values(values);
  return rows.map((row) => {
    const key = entityRowKey(plan.metadata, row)!;
    const before = complete?.get(key);
    // Named one by one: a spread into a new object costs more than all of the rest.
    return new RowChange({
      did,
      plan,
      key,
      id: row,
      before: before ?? row,
      isComplete: before !== undefined,
      changed,
    });
  });
}
