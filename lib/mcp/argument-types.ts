import { isObject } from '../common/objects.js';
import type { JsonSchema } from '../event/index.js';

/** The maximum number of values of one argument. */
export const MAX_VALUES = 50;

const SCALARS = new Set<unknown>(['string', 'number', 'integer', 'boolean']);

/** Returns what a schema says of texts, numbers and booleans; null for other values. A null is not an argument. */
export function scalarType(schema: unknown): JsonSchema | null {
  const { type, enum: listed, description } = isObject(schema) ? schema : {};
  const types = [type].flat().filter((one) => one !== 'null' && one !== undefined);
  const values = Array.isArray(listed) ? listed.filter((one) => one !== null) : null;
  const isTyped = types.length > 0 && types.every((one) => SCALARS.has(one));
  const isListed = values !== null && values.every((one) => SCALARS.has(typeof one));
  if (type === undefined ? !isListed : !isTyped) return null;
  return {
    ...(isTyped && { type: types.length === 1 ? types[0] : types }),
    ...(isListed && { enum: values }),
    ...(typeof description === 'string' && { description }),
  };
}

/** Returns the schema of one value, or a list of them. */
export function oneOrMore({ description, ...value }: JsonSchema): JsonSchema {
  const list = { type: 'array', items: value, minItems: 1, maxItems: MAX_VALUES };
  return { ...(description !== undefined && { description }), anyOf: [value, list] };
}

/** Tells whether a value is of a type that {@link scalarType} has returned. */
export function fitsType(value: unknown, { type, enum: listed }: JsonSchema): boolean {
  if (Array.isArray(listed) && !listed.includes(value)) return false;
  if (type === undefined) return true;
  return [type].flat().some((one) => {
    if (one === 'integer') return Number.isInteger(value);
    return one === 'number' ? Number.isFinite(value) : typeof value === one;
  });
}
