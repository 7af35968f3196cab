import type { EntityMetadata, ObjectLiteral, QueryRunner } from 'typeorm';
import type { RowChange } from '../changes/row-change.js';
import { changesOfRows, readComplete } from '../entities/rows-before.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import type { EventPlan } from '../plan/event-plan.js';
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
  const { operation, set, queryRunner } = write;
  const changes: RowChange[] = [];
  for (const plan of write.plans) {
    const rows = rowsOf(plan, write);
    if (rows.length === 0) continue;
    const events = plan.events.filter((event) => readsOldRow(event, operation));
    const { manager } = queryRunner;
    const complete = await readComplete(manager, plan.metadata, rows, events, set.relations);
    changes.push(...changesOfRows(changeBy(write, plan), rows, complete));
  }
  return changes;
}

/** As {@link changesOf}, of rows whose events ask for no more than their columns. */
export function changesOfColumns(write: PendingWrite): RowChange[] {
  return write.plans.flatMap((plan) => changesOfRows(changeBy(write, plan), rowsOf(plan, write)));
}

/** Tells whether events ask more of a row before a write than its columns. */
export function readBeyondColumns({ events }: EntityPlan, operation: BulkOperation): boolean {
  return events.some(
    (event) => readsOldRow(event, operation) && event.joins.length + event.hidden.length > 0,
  );
}

function changeBy({ operation, set }: PendingWrite, plan: EntityPlan) {
  return { did: DID[operation]!, plan, values: set.values };
}

/** With single-table inheritance, TypeORM makes each row an instance of its own class. */
function rowsOf({ metadata }: EntityPlan, write: PendingWrite): readonly ObjectLiteral[] {
  return write.metadata.childEntityMetadatas.length === 0
    ? write.rows
    : write.rows.filter((row) => row.constructor === metadata.target);
}

function readsOldRow({ options, needsRow, readsBefore }: EventPlan, operation: BulkOperation) {
  return (
    (operation === 'delete' && options.on === 'delete' && (needsRow || readsBefore)) ||
    (DID[operation] === 'update' && readsBefore)
  );
}
