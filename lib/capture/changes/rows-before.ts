import type { EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import { besideColumns, type BesideColumns } from '../plan/entity-paths.js';
import { setValue } from '../rows/row-copy.js';
import { rowKey } from '../rows/row-key.js';
import { readRows } from '../rows/row-reader.js';
import type { RelationMetadata } from '../rows/typeorm-types.js';
import { RowChange } from './row-change.js';

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
    const found = complete.get(rowKey(metadata, row)!);
    for (const relation of found === undefined ? [] : relations) {
      if (relation.getEntityValue(found!) === undefined) {
        setValue(found!, relation, relation.getEntityValue(row));
      }
    }
  }
  return complete;
}

/** @param complete the rows as {@link readComplete} reads them */
export function changesOfRows(
  { did, plan, values }: Pick<RowChange, 'did' | 'plan' | 'values'>,
  rows: readonly ObjectLiteral[],
  complete?: ReadonlyMap<string, ObjectLiteral>,
): RowChange[] {
  return rows.map((row) => {
    const key = rowKey(plan.metadata, row)!;
    const old = complete?.get(key);
    // Named one by one: a spread into a new object costs more than all of the rest.
    return new RowChange({
      did,
      plan,
      values,
      key,
      id: row,
      old: old ?? row,
      oldIsComplete: old !== undefined,
    });
  });
}
