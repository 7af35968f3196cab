import type { EventPlan } from '../plan/event-plan.js';
import { isSameColumnValue } from '../table/column-equality.js';
import {
  type FieldValue,
  UNKNOWN_VALUE,
  type Column,
  type Field,
  isRelation,
  keyedRelations,
  ownColumns,
  type Relation,
  type RowTable,
} from '../table/row-table.js';
import { isEmptyLink } from '../table/row-copy.js';
import { keyPart } from '../table/row-key.js';
import type { NetChange } from './net-change.js';

/** False: nothing was set that the event could report, or to no other value. The row need not be read to know it. */
export function mayBeReported({ before, replaced, changed }: NetChange, event: EventPlan): boolean {
  if (before === undefined || replaced) return true;
  return [...changed.values()].some(
    (value) =>
      isShown(value.of, event) && isWatched(value.of, event) && !isClearlySame(value, before),
  );
}

function isClearlySame({ of, value }: FieldValue, before: object): boolean {
  if (isRelation(of)) return value !== UNKNOWN_VALUE && sameLink(of, of.get(before), value);
  if (isHousekeeping(of)) return true;
  // The application may have changed the object since it was assigned.
  if (typeof (value ?? undefined) === 'object' || of.toDatabase !== undefined) return false;
  return Object.is(of.get(before) ?? null, value ?? null);
}

/**
 * Returns the columns and relations that the event can show, and whose values differ from those before the transaction.
 *
 * @param row the row as it is now, where it was read
 * @returns undefined when the row before is not known well enough to tell
 */
export function changedFields(
  net: NetChange,
  row: object | undefined,
  event: EventPlan,
): readonly Field[] | undefined {
  const { before, changed } = net;
  if (before === undefined) return undefined;
  if (net.replaced) return row && replacedFields(before, row, net.plan.table, event);
  return [...changed.values()]
    .filter((value) => isShown(value.of, event) && isChanged(value, before, row))
    .map(({ of }) => of);
}

/**
 * The fields that differ in a row that has taken the place of another one.
 *
 * @returns undefined when that may be a relation alone, which was not read
 */
function replacedFields(
  before: object,
  row: object,
  table: RowTable,
  event: EventPlan,
): readonly Field[] | undefined {
  const changed: Field[] = ownColumns(table).filter(
    (column) =>
      !column.isHidden &&
      isShown(column, event) &&
      !column.isAutomatic &&
      !isSameColumnValue(column, column.get(before), column.get(row)),
  );
  // Other relations keep their keys in columns, which are compared as columns.
  const relations = keyedRelations(table).filter(
    (relation) => isShown(relation, event) && relation.columns.some(({ isVirtual }) => isVirtual),
  );
  const isRead = (relation: Relation): boolean =>
    [before, row].every((one) => relation.get(one) !== undefined);
  for (const relation of relations.filter(isRead)) {
    if (!sameLink(relation, relation.get(before), relation.get(row))) changed.push(relation);
  }
  const isUnknown = relations.some((one) => !isRead(one) && isWatched(one, event));
  return isUnknown && !changed.some((field) => isWatched(field, event)) ? undefined : changed;
}

/** Returns the columns and relations that a change has written, and that the event can show. */
export function writtenFields({ changed }: NetChange, event: EventPlan): readonly Field[] {
  return [...changed.keys()].filter((field) => isShown(field, event));
}

/** Tells whether these changes are the event's to report. */
export function isReported(changed: readonly Field[] | undefined, event: EventPlan): boolean {
  return changed === undefined || changed.some((field) => isWatched(field, event));
}

/** False for a hidden column or relation that the event does not name. */
function isShown(field: Field, { unreported }: EventPlan): boolean {
  return !unreported.has(field);
}

function isWatched(field: Field, { watched }: EventPlan): boolean {
  return watched === undefined || watched.has(field);
}

/**
 * Tells whether an update of this column alone counts as no change: its value is maintained automatically, or is never
 * updated.
 */
function isHousekeeping({ isAutomatic, isUpdated }: Column): boolean {
  return isAutomatic || !isUpdated;
}

function isChanged(
  { of: field, value }: FieldValue,
  before: object,
  row: object | undefined,
): boolean {
  const old = field.get(before);
  if (isRelation(field)) return value === UNKNOWN_VALUE || !sameLink(field, old, value);
  if (isHousekeeping(field)) return false;
  // A hidden column that was not read looks changed every time.
  if (field.isHidden && old === undefined) return false;
  const now = row === undefined ? undefined : field.get(row);
  if (now !== undefined) return !isSameColumnValue(field, old, now);
  // Outside of a transaction a row may go before it is read, and its change was made nevertheless.
  return value === UNKNOWN_VALUE || !isSameColumnValue(field, old, value);
}

function sameLink(relation: Relation, before: unknown, after: unknown): boolean {
  const keyOf = (value: unknown): string | undefined => {
    if (value === null || value === undefined || isEmptyLink(value, relation)) return undefined;
    return relation.key
      .map((column) => keyPart(typeof value === 'object' ? column.get(value) : value, column))
      .join('\u0000');
  };
  return keyOf(before) === keyOf(after);
}
