import { isObject } from '../common/objects.js';
import type { JsonSchema } from '../event/index.js';

const SCALARS = new Set<unknown>(['string', 'number', 'integer', 'boolean']);
/** Names that a filter does not read as a field. */
const RESERVED = new Set(['AND', 'OR', 'NOT', '__proto__', 'constructor', 'prototype']);

/** Tells whether data of a schema is always an object. */
export function isObjectSchema({ type, properties, allOf, anyOf, oneOf }: JsonSchema): boolean {
  if (type !== undefined) return type === 'object';
  const either = [...schemasOf(anyOf), ...schemasOf(oneOf)];
  const isEither = either.length > 0 && either.every(isObjectSchema);
  return properties !== undefined || schemasOf(allOf).some(isObjectSchema) || isEither;
}

/** Returns the types of an event's arguments: the fields of its name, and the fields of its data that hold one value. */
export function argumentTypes(
  schema: JsonSchema,
  fieldsOfName: readonly string[],
): ReadonlyMap<string, JsonSchema> {
  const types = new Map(
    fieldsOfName.map((name): [string, JsonSchema] => [name, { type: 'string' }]),
  );
  for (const { properties } of [schema, ...schemasOf(schema['allOf'])]) {
    for (const [name, property] of Object.entries(isObject(properties) ? properties : {})) {
      const type = isObject(property) ? scalarType(property) : null;
      const isField = /^[\w$-]+$/.test(name) && !RESERVED.has(name);
      if (type !== null && (isField || types.has(name))) types.set(name, type);
    }
  }
  return types;
}

/** Tells whether a value is of a type that {@link argumentTypes} has returned. */
export function fitsType(value: unknown, { type, enum: listed }: JsonSchema): boolean {
  if (Array.isArray(listed) && !listed.includes(value)) return false;
  if (type === undefined) return true;
  return [type].flat().some((one) => {
    if (one === 'integer') return Number.isInteger(value);
    return one === 'number' ? Number.isFinite(value) : typeof value === one;
  });
}

/** Returns what a schema says of texts, numbers and booleans; null for other values. A null is not an argument. */
function scalarType({ type, enum: listed, description }: JsonSchema): JsonSchema | null {
  const types = [type].flat().filter((one) => one !== 'null' && one !== undefined);
  const values = Array.isArray(listed) ? listed.filter((one: unknown) => one !== null) : null;
  const isTyped = types.length > 0 && types.every((one) => SCALARS.has(one));
  const isListed = values !== null && values.every((one: unknown) => SCALARS.has(typeof one));
  if (type === undefined ? !isListed : !isTyped) return null;
  return {
    ...(isTyped && { type: types.length === 1 ? types[0] : types }),
    ...(isListed && { enum: values }),
    ...(typeof description === 'string' && { description }),
  };
}

function schemasOf(list: unknown): readonly JsonSchema[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}
