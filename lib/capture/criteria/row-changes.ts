import type { EntityMetadata, ObjectLiteral, QueryRunner } from 'typeorm';
import { RowChange } from '../changes/row-change.js';
import { joinsOf } from '../plan/entity-paths.js';
import type { EntityPlan, EventPlan } from '../plan/entity-plan.js';
import { setValue } from '../rows/row-copy.js';
import { rowKey } from '../rows/row-key.js';
import { readRows } from '../rows/row-reader.js';
import type { BulkOperation } from './bulk-operation.js';
import type { SetValues } from './set-values.js';

/** A write and the rows that it is about to hit. */
export interface PendingWrite {
  readonly operation: BulkOperation;
  readonly metadata: EntityMetadata;
  readonly rows: readonly ObjectLiteral[];
  /** The entities whose rows count. */
  readonly plans: readonly EntityPlan[];
  readonly set: SetValues;
  readonly queryRunner: QueryRunner;
}

const DID: Readonly<Partial<Record<BulkOperation, RowChange['did']>>> = {
  update: 'update',
  'update of the delete date': 'update',
  'update of the delete date to null': 'update',
  delete: 'remove',
  softDelete: 'soft-remove',
  restore: 'recover',
};

/** What a write is going to make of each row, as far as that can be told before. */
export async function changesOf(write: PendingWrite): Promise<RowChange[]> {
  const changes: RowChange[] = [];
  for (const plan of write.plans) {
    const rows = rowsOf(plan, write);
    if (rows.length === 0) continue;
    const complete = await readComplete(rows, plan, write);
    changes.push(...changesOfPlan(plan, rows, write, complete));
  }
  return changes;
}

/** As {@link changesOf}, of rows whose events ask for no more than their columns. */
export function changesOfColumns(write: PendingWrite): RowChange[] {
  return write.plans.flatMap((plan) => changesOfPlan(plan, rowsOf(plan, write), write));
}

/** @param complete the rows with what events ask for besides their columns */
function changesOfPlan(
  plan: EntityPlan,
  rows: readonly ObjectLiteral[],
  { operation, set }: PendingWrite,
  complete?: ReadonlyMap<string, ObjectLiteral>,
): RowChange[] {
  return rows.map((row) => {
    const key = rowKey(plan.metadata, row)!;
    const old = complete?.get(key);
    return new RowChange({
      did: DID[operation]!,
      plan,
      key,
      id: row,
      old: old ?? row,
      oldIsComplete: old !== undefined,
      values: set.values,
    });
  });
}

/** With single-table inheritance, TypeORM makes each row an instance of its own class. */
function rowsOf({ metadata }: EntityPlan, write: PendingWrite): readonly ObjectLiteral[] {
  return write.metadata.childEntityMetadatas.length === 0
    ? write.rows
    : write.rows.filter((row) => row.constructor === metadata.target);
}

/** The rows with what events ask for besides their columns: a read after the write could not tell it. */
async function readComplete(
  rows: readonly ObjectLiteral[],
  plan: EntityPlan,
  { operation, set, queryRunner }: PendingWrite,
): Promise<ReadonlyMap<string, ObjectLiteral>> {
  const beyond = readBeyondColumns(plan, operation);
  if (beyond === undefined) return new Map();
  const { metadata } = plan;
  const complete = await readRows(queryRunner.manager, { metadata, ids: rows, ...beyond });
  for (const row of rows) {
    const found = complete.get(rowKey(metadata, row)!);
    if (found === undefined) continue;
    for (const relation of set.relations) {
      if (relation.getEntityValue(found) === undefined) {
        setValue(found, relation, relation.getEntityValue(row));
      }
    }
  }
  return complete;
}

/** What events ask of a row before a write besides its columns; undefined when that is nothing. */
export function readBeyondColumns(
  plan: EntityPlan,
  operation: BulkOperation,
): { readonly joins: readonly string[]; readonly hidden: readonly string[] } | undefined {
  const events = plan.events.filter((event) => readsOldRow(event, operation));
  const joins = joinsOf(events.flatMap((event) => event.joins));
  const hidden = [...new Set(events.flatMap((event) => event.hidden))];
  return joins.length + hidden.length === 0 ? undefined : { joins, hidden };
}

function readsOldRow({ options, needsRow, readsBefore }: EventPlan, operation: BulkOperation) {
  return (
    (operation === 'delete' && options.on === 'delete' && (needsRow || readsBefore)) ||
    (DID[operation] === 'update' && readsBefore)
  );
}
