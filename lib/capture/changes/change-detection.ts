import type { EntityMetadata, ObjectLiteral } from 'typeorm';
import { type ChangedValue, UNKNOWN_VALUE } from '../rows/changed-values.js';
import type { NetChange } from './net-change.js';
import type { RowChange } from './row-change.js';
import { isEmptyLink } from '../rows/row-copy.js';
import { readsBackTheSame } from '../rows/read-back.js';
import { type Column, keyPart } from '../rows/row-key.js';
import { isSameColumnValue } from '../rows/column-equality.js';
import type { EventPlan } from '../plan/entity-plan.js';
import type { Field, RelationMetadata } from '../rows/typeorm-types.js';

/**
 * Tells whether the row differs, for this event, from what it was before the transaction, as far as the values that were
 * set tell without reading it.
 *
 * @returns undefined when only the row itself can tell: a database may have turned a value into one of another type
 */
export function isChangedByValues(net: NetChange, event: EventPlan): boolean | undefined {
  const { old, replaced } = net;
  if (old === undefined) return true;
  if (replaced) return undefined;
  const verdicts = new Set(
    shownValues(net, event)
      .filter(({ of }) => isWatched(of, event))
      .map((value) => foretoldOf(value, old)),
  );
  if (verdicts.has(true)) return true;
  return verdicts.has(undefined) ? undefined : false;
}

/**
 * The columns and relations of a changed row whose values differ from those before the transaction, of those that the
 * event can show.
 *
 * @param row the row as it is now, where it was read
 * @returns undefined when the row before is not known well enough to tell
 */
export function changedFields(
  net: NetChange,
  row: ObjectLiteral | undefined,
  event: EventPlan,
): readonly Field[] | undefined {
  const { old } = net;
  if (old === undefined) return undefined;
  if (net.replaced) {
    return row && replacedFields(old, row, net.plan.metadata, event);
  }
  return shownValues(net, event)
    .filter((value) => isChangedValue(value, old, row))
    .map(({ of }) => of);
}

/**
 * The fields that differ in a row that has taken the place of another one.
 *
 * @returns undefined when that may be a relation alone, which was not read
 */
function replacedFields(
  old: ObjectLiteral,
  row: ObjectLiteral,
  { columns, relationsWithJoinColumns }: EntityMetadata,
  event: EventPlan,
): readonly Field[] | undefined {
  const changed: Field[] = columns.filter(
    (column) =>
      column.isSelect &&
      !event.unreported.has(column) &&
      !column.isVirtual &&
      !column.isUpdateDate &&
      !column.isVersion &&
      !isSameColumnValue(column, column.getEntityValue(old), column.getEntityValue(row)),
  );
  // The keys of others are columns, and compared with them.
  const relations = relationsWithJoinColumns.filter(
    (relation) =>
      !event.unreported.has(relation) && relation.joinColumns.some(({ isVirtual }) => isVirtual),
  );
  const isRead = (relation: RelationMetadata): boolean =>
    [old, row].every((one) => relation.getEntityValue(one) !== undefined);
  for (const relation of relations.filter(isRead)) {
    const [before, after] = [old, row].map((one) => relation.getEntityValue(one) as unknown);
    if (!sameLink(relation, before, after)) changed.push(relation);
  }
  const isUnknown = relations.some((one) => !isRead(one) && isWatched(one, event));
  return isUnknown && !changed.some((field) => isWatched(field, event)) ? undefined : changed;
}

/** Tells whether a change is sure to have left its row with other values, as far as the values tell that were set. */
export function isCertain({ did, plan, old, values }: RowChange): boolean {
  if (did === 'insert' || did === 'remove') return true;
  if (old === undefined) return false;
  if (did === 'update') return values.some((value) => foretoldOf(value, old) === true);
  const removedAt: unknown = plan.metadata.deleteDateColumn?.getEntityValue(old);
  return (did === 'recover') === ((removedAt ?? null) !== null);
}

/** Tells whether an update of this column alone makes no change: TypeORM keeps it itself, or never updates it. */
export function isHousekeeping({ isUpdateDate, isVersion, isUpdate }: Column): boolean {
  return isUpdateDate || isVersion || !isUpdate;
}

/** Tells whether these changes are the event's to report. */
export function isReported(changed: readonly Field[] | undefined, event: EventPlan): boolean {
  return changed === undefined || changed.some((field) => isWatched(field, event));
}

/** The values that were set, without those of hidden columns that the event does not name. */
function shownValues({ values }: NetChange, { unreported }: EventPlan): ChangedValue[] {
  return [...values.values()].filter(({ of }) => !unreported.has(of));
}

function isWatched(field: Field, { watched }: EventPlan): boolean {
  return watched === undefined || watched.has(field);
}

function isChangedValue(
  changed: ChangedValue,
  old: ObjectLiteral,
  row: ObjectLiteral | undefined,
): boolean {
  const { of } = changed;
  // Outside of a transaction a row may go before it is read, and its change was made nevertheless.
  const after: unknown = row === undefined ? undefined : of.getEntityValue(row);
  if (isRelation(of) || isHousekeeping(of) || after === undefined) {
    return foretoldOf(changed, old) !== false;
  }
  const before: unknown = of.getEntityValue(old);
  return isUnknown(of, before) ? false : !isSameColumnValue(of, before, after);
}

function foretoldOf({ of, value }: ChangedValue, old: ObjectLiteral): boolean | undefined {
  const before: unknown = of.getEntityValue(old);
  if (isRelation(of)) return value === UNKNOWN_VALUE ? undefined : !sameLink(of, before, value);
  if (isHousekeeping(of) || isUnknown(of, before)) return false;
  if (value === UNKNOWN_VALUE) return undefined;
  const same = Object.is(before ?? null, value ?? null);
  // Set once, what an object said may have changed since.
  if (same && typeof (value ?? undefined) !== 'object' && of.transformer === undefined)
    return false;
  return !same && readsBackTheSame(of, value) ? true : undefined;
}

/** A column that is not selected is missing from TypeORM's old row, and so looks changed every time. */
function isUnknown({ isSelect }: Column, before: unknown): boolean {
  return !isSelect && before === undefined;
}

function isRelation(of: Field): of is RelationMetadata {
  return 'inverseEntityMetadata' in of;
}

function sameLink(relation: RelationMetadata, before: unknown, after: unknown): boolean {
  const key = (value: unknown): string | undefined => {
    if (value === null || value === undefined || isEmptyLink(value, relation)) return undefined;
    return relation.joinColumns
      .map((column) => column.referencedColumn!)
      .map((column) => {
        const part: unknown = typeof value === 'object' ? column.getEntityValue(value) : value;
        return keyPart(part, column);
      })
      .join('\u0000');
  };
  return key(before) === key(after);
}
