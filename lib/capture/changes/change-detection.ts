import type { ObjectLiteral } from 'typeorm';
import type { ChangedValue } from '../rows/changed-values.js';
import type { NetChange } from './net-change.js';
import { readsBackTheSame } from '../rows/read-back.js';
import { type Column, keyPart } from '../rows/row-key.js';
import { isSameColumnValue } from '../rows/column-equality.js';
import type { RelationMetadata } from '../rows/typeorm-types.js';

/**
 * Tells whether the row differs from what it was before the transaction, as far as the values that were set tell without
 * reading it.
 *
 * @returns undefined when only the row itself can tell: a database may have turned a value into one of another type
 */
export function isChangedByValues({ old, replaced, values }: NetChange): boolean | undefined {
  if (old === undefined) return true;
  if (replaced) return undefined;
  const verdicts = new Set([...values.values()].map((value) => foretoldOf(value, old)));
  if (verdicts.has(true)) return true;
  return verdicts.has(undefined) ? undefined : false;
}

/**
 * Tells whether the values of a changed row differ from those before the transaction.
 *
 * @param row the row as it is now, where it was read
 */
export function isChanged(net: NetChange, row: ObjectLiteral | undefined): boolean {
  const { old } = net;
  // A row that has gone meanwhile cannot be compared, and its change was made nevertheless.
  if (old === undefined || row === undefined) return isChangedByValues(net) !== false;
  if (net.replaced) {
    return net.plan.metadata.columns.some(
      (column) =>
        column.isSelect &&
        !column.isVirtual &&
        !isSameColumnValue(column, column.getEntityValue(old), column.getEntityValue(row)),
    );
  }
  return [...net.values.values()].some((changed) => {
    const { of } = changed;
    const after: unknown = of.getEntityValue(row);
    if (isRelation(of) || isHousekeeping(of) || after === undefined) {
      return foretoldOf(changed, old) !== false;
    }
    const before: unknown = of.getEntityValue(old);
    return isUnknown(of, before) ? false : !isSameColumnValue(of, before, after);
  });
}

function foretoldOf({ of, value }: ChangedValue, old: ObjectLiteral): boolean | undefined {
  const before: unknown = of.getEntityValue(old);
  if (isRelation(of)) return !sameLink(of, before, value);
  if (isHousekeeping(of) || isUnknown(of, before)) return false;
  const same = Object.is(before ?? null, value ?? null);
  // Set once, what an object said may have changed since.
  if (same && typeof (value ?? undefined) !== 'object' && of.transformer === undefined)
    return false;
  return !same && readsBackTheSame(of, value) ? true : undefined;
}

/** True for a column that alone makes no change: TypeORM keeps it itself, or never updates it. */
function isHousekeeping({ isUpdateDate, isVersion, isUpdate }: Column): boolean {
  return isUpdateDate || isVersion || !isUpdate;
}

/** A column that is not selected is missing from TypeORM's old row, and so looks changed every time. */
function isUnknown({ isSelect }: Column, before: unknown): boolean {
  return !isSelect && before === undefined;
}

function isRelation(of: Column | RelationMetadata): of is RelationMetadata {
  return 'inverseEntityMetadata' in of;
}

function sameLink(relation: RelationMetadata, before: unknown, after: unknown): boolean {
  const key = (value: unknown): string | undefined => {
    if (value === null || value === undefined) return undefined;
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
