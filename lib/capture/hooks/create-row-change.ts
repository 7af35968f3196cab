import type { EntityMetadata, ObjectLiteral, UpdateEvent } from 'typeorm';
import { RowChange } from '../changes/row-change.js';
import type { EntityPlan } from '../plan/entity-plan.js';
import { type ChangedValue, changedValues, removalOf } from '../rows/changed-values.js';
import { exactValues, mayDiffer } from '../rows/read-back.js';
import { layOver, supplied, withoutEmptyLinks } from '../rows/row-copy.js';
import type { Column } from '../rows/row-key.js';
import type { ReadRow } from './old-rows.js';

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
  /** False if the entity, or the row before, may differ from what is in the database. */
  readonly isCurrent: boolean;
}

/** Creates the change of a row from the event of a hook. */
export function createRowChange(
  event: Pick<UpdateEvent<ObjectLiteral>, 'queryRunner'> & Partial<UpdateEvent<ObjectLiteral>>,
  { did, plan, key, row, old, read, isCurrent }: ReportedRow,
): RowChange {
  const values =
    did === 'update' ? changedValues(event) : did === 'insert' ? removalOf(plan.metadata, row) : [];
  const known = old && withoutEmptyLinks(old, plan.metadata);
  const loaded = known && read?.keys ? withKeys(known, read.keys, plan.metadata) : known;
  const fields = values.map(({ of }) => of);
  const { readBack } = plan;
  const isExact = isCurrent && readBack !== undefined && !mayDiffer(event, readBack, did);
  return new RowChange({
    did,
    plan,
    key,
    // No other object holds the old row; an entity may change until the commit.
    id: old ?? plan.metadata.getEntityIdMap(row)!,
    old:
      read && loaded
        ? supplied(
            read.row,
            loaded,
            read.keys ? [...fields, ...plan.metadata.relations] : fields,
            plan.metadata,
          )
        : (read?.row ?? known),
    oldIsComplete: read?.isComplete === true,
    values,
    exact: isExact ? exactValues(event, readBack, did) : undefined,
  });
}

/** A row that TypeORM has loaded, with the keys of its relations as they were read later. */
function withKeys(
  row: ObjectLiteral,
  keys: NonNullable<ReadRow['keys']>,
  metadata: EntityMetadata,
): ObjectLiteral {
  const values: ChangedValue[] = [];
  for (const [of, key] of keys) {
    const related: unknown = of.getEntityValue(row);
    const { referencedColumn } = of.joinColumns[0]!;
    // Not loaded, or just that key.
    if (related === undefined || keyIn(related, referencedColumn!) === key) continue;
    values.push({ of, value: key === null ? null : referencedColumn!.createValueMap(key) });
  }
  return values.length === 0 ? row : layOver(row, values, metadata);
}

function keyIn(related: unknown, column: Column): unknown {
  return typeof related === 'object' && related !== null ? column.getEntityValue(related) : null;
}
