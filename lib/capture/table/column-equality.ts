import { isDeepStrictEqual } from 'node:util';
import { databaseForm } from './row-key.js';
import type { Column } from './row-table.js';

/** Tells whether a column's value is the same in two rows that were both read from the database. */
export function isSameColumnValue(column: Column, one: unknown, other: unknown): boolean {
  if (one === null || one === undefined || other === null || other === undefined) {
    return (one ?? null) === (other ?? null);
  }
  if (DECIMAL.has(column.type) && isNumeric(one) && isNumeric(other)) {
    return plainDecimal(one) === plainDecimal(other);
  }
  if (!isDeepStrictEqual(one, other)) return false;
  return (
    !isOpaque(one) || isDeepStrictEqual(databaseForm(column, one), databaseForm(column, other))
  );
}

const DECIMAL = new Set(['decimal', 'numeric', 'dec', 'fixed', 'number']);

function isNumeric(value: unknown): value is string | number | bigint {
  return ['string', 'number', 'bigint'].includes(typeof value);
}

/** Compared as text: a JavaScript number has fewer digits than a decimal column may have. */
function plainDecimal(value: string | number | bigint): string {
  const text = String(value).replace(/^(-?)0+(?=\d)/, '$1');
  return /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, '') : text;
}

/** True for an object of a transformer: its private fields, which a comparison cannot see, may hold the value. */
function isOpaque(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value) || value instanceof Date || value instanceof Uint8Array) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== null && prototype !== Object.prototype;
}
