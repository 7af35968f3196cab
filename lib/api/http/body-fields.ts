import { isObject } from '../../common/objects.js';
import type { RefusedField } from '../problems/errors.js';

/** Other names that a body may use, from Thorn's API. */
export const ALIASES: Readonly<Record<string, string>> = {
  event: 'events',
  content_type: 'contentType',
  hmac_secret: 'secret',
  hmac_digest: 'digest',
};

/**
 * Names that every object has already: some would change what it is instead of what it holds, and class-validator takes
 * all of them for known.
 */
const FORBIDDEN = new Set(['prototype', ...Object.getOwnPropertyNames(Object.prototype)]);

export type Body = Readonly<Record<string, unknown>>;

/**
 * Renames aliases to the fields' own names, and makes the one pattern of `event` a list. Values are kept as they are.
 *
 * @returns the renamed body, and what could not be renamed
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

/** The name that the caller used for a field; `events[1]` and the like keep what follows the name. */
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
