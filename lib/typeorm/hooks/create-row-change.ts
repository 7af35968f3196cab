import type { ObjectLiteral, UpdateEvent } from 'typeorm';
import { RowChange } from '../../capture/changes/row-change.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import { changedValues, removalOf } from '../rows/changed-values.js';
import { insertedRow } from '../rows/read-back.js';
import { supplied, withoutEmptyLinks } from '../../capture/table/row-copy.js';
import type { ReadRow } from '../connection/connection-state.js';

/** The row that a hook reports. */
interface ReportedRow {
  readonly did: RowChange['did'];
  readonly plan: EntityPlan;
  readonly key: string;
  readonly row: ObjectLiteral;
  /** The row before, as TypeORM has loaded it. */
  readonly old: ObjectLiteral | undefined;
  /** The row before as it was read for its events. */
  readonly read: ReadRow | undefined;
  /** False if an entity that was inserted may differ from what is in the database. */
  readonly isCurrent: boolean;
}

/** Creates the change of a row from the event of a hook. */
export function createRowChange(
  event: Pick<UpdateEvent<ObjectLiteral>, 'queryRunner'> & Partial<UpdateEvent<ObjectLiteral>>,
  { did, plan, key, row, old, read, isCurrent }: ReportedRow,
): RowChange {
  const values =
    did === 'update' ? changedValues(event) : did === 'insert' ? removalOf(plan.metadata, row) : [];
  const { table } = plan;
  const changed = table.values(values);
  const known = old && withoutEmptyLinks(old, table);
  const fields = changed.map(({ of }) => of);
  return new RowChange({
    did,
    plan,
    key,
    // No other object holds the old row; an entity may change until the commit.
    id: old ?? plan.metadata.getEntityIdMap(row)!,
    before: read && known ? supplied(read.row, known, fields, table) : (read?.row ?? known),
    after: did === 'insert' && isCurrent ? insertedRow(event, plan.readBack) : undefined,
    isComplete: read?.isComplete === true,
    changed,
  });
}
