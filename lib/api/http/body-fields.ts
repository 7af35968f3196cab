import { isObject } from '../../common/objects.js';
import type { RefusedField } from '../problems/problem.js';

/** Other names that a body may use for fields: the names of Thorn for Django. */
export const ALIASES: Readonly<Record<string, string>> = {
  event: 'events',
  content_type: 'contentType',
  hmac_secret: 'secret',
  hmac_digest: 'digest',
};

/**
 * Names that every object has already, such as `__proto__`. Assigning some of them would change the prototype of the
 * object, and class-validator treats all of them as known fields.
 */
const FORBIDDEN = new Set(['prototype', ...Object.getOwnPropertyNames(Object.prototype)]);

export type Body = Readonly<Record<string, unknown>>;

/**
 * Renames aliases to the names of the fields, and makes a list of the single pattern in `event`. All other values stay
 * as they are.
 *
 * @returns the renamed body, and the fields that could not be renamed
 */
export function withoutAliases(body: Body): { renamed: Body; refused: RefusedField[] } {
  const renamed: Record<string, unknown> = {};
  const refused: RefusedField[] = [];
  for (const [name, value] of Object.entries(body)) {
    const field = ownName(name);
    if (FORBIDDEN.has(name)) {
      refused.push(unknownField(name));
    } else if (field !== name && Object.hasOwn(body, field)) {
      refused.push({ field: name, reason: `says the same as ${field}: give one of them` });
    } else if (name === 'event' && typeof value !== 'string') {
      refused.push({ field: name, reason: 'must be a text' });
    } else {
      renamed[field] = name === 'event' ? [value] : value;
    }
  }
  return { renamed, refused };
}

export function forbiddenFields(body: Body): RefusedField[] {
  const traps = Object.keys(body).filter((name) => FORBIDDEN.has(name));
  return traps.map(unknownField);
}

export function unknownField(field: string): RefusedField {
  return { field, reason: 'is not a known field', code: 'unknown-field' };
}

/** The name that the caller used for a field. A name such as `events[1]` keeps its index. */
export function nameAsSent(field: string, body: unknown): string {
  if (!isObject(body)) return field;
  const [name = ''] = /^\w*/.exec(field) ?? [];
  if (Object.hasOwn(body, name)) return field;
  const alias = Object.keys(body).find((key) => key !== name && ownName(key) === name);
  if (alias === undefined) return field;
  return alias === 'event' ? alias : alias + field.slice(name.length);
}

function ownName(name: string): string {
  return Object.hasOwn(ALIASES, name) ? ALIASES[name]! : name;
}
