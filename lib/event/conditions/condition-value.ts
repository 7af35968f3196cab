import { isPlainObject } from '../../common/objects.js';
import { compareNumbers, isNumeric } from './condition-number.js';

/**
 * Tells whether two values are equal in the sense of `eq`. Null and undefined are equal; dates are compared by time;
 * numbers, bigints and decimals by exact value; collections and plain objects by their contents. Truthiness plays no
 * part.
 */
export function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (left === null || left === undefined) return right === null || right === undefined;
  if (right === null || right === undefined) return false;
  if (isNumeric(left) || isNumeric(right)) return compareNumbers(left, right) === 0;
  if (typeof left !== 'object' || typeof right !== 'object') return false;
  return sameObjects(left, right);
}

/**
 * Compares two values in the sense of `gt` and similar operators: numbers of any kind by exact value, dates by time, texts by
 * UTF-16 code units.
 *
 * @returns negative, 0 or positive; undefined when they have no order, as with null
 */
export function compare(left: unknown, right: unknown): number | undefined {
  if (isNumeric(left) || isNumeric(right)) return compareNumbers(left, right);
  if (typeof left === 'string' && typeof right === 'string') {
    return left < right ? -1 : left > right ? 1 : 0;
  }
  if (left instanceof Date && right instanceof Date) {
    return compareNumbers(left.getTime(), right.getTime());
  }
  return undefined;
}

/** A part of a text, an element of an array or set, a key of a map, an own key of an object. */
export function contains(container: unknown, member: unknown): boolean {
  if (typeof container === 'string')
    return typeof member === 'string' && container.includes(member);
  if (Array.isArray(container)) return container.some((element) => isSame(element, member));
  if (container instanceof Set) return hasMember(container, member);
  if (container instanceof Map) return hasMember(container, member);
  if (typeof container !== 'object' || container === null || container instanceof Date)
    return false;
  return typeof member === 'string' && Object.hasOwn(container, member);
}

function hasMember(container: Set<unknown> | Map<unknown, unknown>, member: unknown): boolean {
  if (container.has(member)) return true;
  for (const key of container.keys()) if (isSame(key, member)) return true;
  return false;
}

function sameObjects(left: object, right: object): boolean {
  if (left instanceof Date) return right instanceof Date && left.getTime() === right.getTime();
  if (Array.isArray(left)) return Array.isArray(right) && sameLists(left, right);
  if (left instanceof Set) return right instanceof Set && sameSets(left, right);
  if (left instanceof Map) return right instanceof Map && sameMaps(left, right);
  if (left instanceof Uint8Array) {
    return right instanceof Uint8Array && Buffer.compare(left, right) === 0;
  }
  return isPlainObject(left) && isPlainObject(right) && sameRecords(left, right);
}

function sameLists(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((value, index) => isSame(value, right[index]));
}

function sameSets(left: Set<unknown>, right: Set<unknown>): boolean {
  return left.size === right.size && [...left].every((value) => hasMember(right, value));
}

function sameMaps(left: Map<unknown, unknown>, right: Map<unknown, unknown>): boolean {
  if (left.size !== right.size) return false;
  const entries = [...right];
  return [...left].every(([key, value]) =>
    entries.some(([otherKey, other]) => isSame(key, otherKey) && isSame(value, other)),
  );
}

function sameRecords(left: Record<string, unknown>, right: Record<string, unknown>): boolean {
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isSame(left[key], right[key]))
  );
}
