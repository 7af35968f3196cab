import { InvalidInputError } from '../errors/index.js';
import { isForbiddenKey } from './conditions/condition-encoding.js';
import { readProperty } from './conditions/condition-path.js';

/** Longest name, in characters; what subscribers' patterns may have as well. */
export const MAX_NAME_LENGTH = 256;
/** Most segments of a name. */
export const MAX_NAME_SEGMENTS = 16;

const SEGMENT = /^[A-Za-z0-9_-]+$/;
const RULE =
  'must be dot-separated segments of letters, digits, "_" and "-", such as article.published';

/** An event's name, which may have fields that are filled from a row: `user.{username}`. */
export interface EventName {
  /** The name as it is declared. */
  readonly name: string;
  /** The dotted paths of its fields. */
  readonly paths: readonly string[];
  /** Its segments; null for a field. */
  readonly segments: readonly (string | null)[];
  /** The pattern that a subscriber to all of its values gives: fields are `*`. */
  readonly pattern: string;
  /**
   * The name for one row. A value fills exactly one segment, see {@link encodeSegment}.
   *
   * @throws {@link InvalidInputError} naming the field whose value is missing, empty or no text, number or boolean
   */
  fill(row: unknown): string;
}

/**
 * Refuses anything but an event's name: dot-separated segments of letters, digits, `_` and `-`.
 *
 * @throws {@link InvalidInputError} for `event`
 */
export function checkEventName(name: unknown): asserts name is string {
  checkShape(name);
  const segments = name.split('.');
  if (segments.length > MAX_NAME_SEGMENTS) refuseSegments(name);
  if (!segments.every((segment) => SEGMENT.test(segment))) refuseName(name, RULE);
}

/**
 * Takes a declared name apart, once.
 *
 * @example
 * ```ts
 * compileEventName('org.{owner.slug}.renamed').fill({ owner: { slug: 'a.b' } }); // 'org.a_2eb.renamed'
 * ```
 * @throws {@link InvalidInputError} for `event`, when it is not a name
 */
export function compileEventName(name: string): EventName {
  checkShape(name);
  const parts = splitName(name);
  if (parts.length > MAX_NAME_SEGMENTS) refuseSegments(name);
  const fields = parts.map((part) => fieldOf(part, name));
  const segments = parts.map((part, index) => (fields[index] === undefined ? part : null));
  return {
    name,
    paths: fields.flatMap((field) => (field === undefined ? [] : [field.join('.')])),
    segments,
    pattern: segments.map((segment) => segment ?? '*').join('.'),
    fill: fields.every((field) => field === undefined)
      ? () => name
      : (row) => fillName(name, parts, fields, row),
  };
}

/**
 * Makes any text into one segment of a name that no other text makes: letters, digits and `-` stay, each other byte of
 * its UTF-8 form is `_` and two hexadecimal digits. `jane-doe` stays as it is, `a.b` becomes `a_2eb`.
 *
 * @throws {@link InvalidInputError} for an empty text or one that has no UTF-8 form
 */
export function encodeSegment(text: string): string {
  if (text === '') throw new InvalidInputError('segment', 'must not be empty');
  if (/\p{Surrogate}/u.test(text)) {
    throw new InvalidInputError('segment', 'must be well-formed Unicode');
  }
  if (/^[A-Za-z0-9-]+$/.test(text)) return text;
  let encoded = '';
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte);
    encoded += /[A-Za-z0-9-]/.test(character)
      ? character
      : `_${byte.toString(16).padStart(2, '0')}`;
  }
  return encoded;
}

function fillName(
  name: string,
  parts: readonly string[],
  fields: readonly (readonly string[] | undefined)[],
  row: unknown,
): string {
  const filled = parts.map((part, index) => {
    const field = fields[index];
    return field === undefined ? part : segmentOf(valueOf(row, field), field.join('.'), name);
  });
  const full = filled.join('.');
  if (full.length > MAX_NAME_LENGTH) {
    const field = fields.find((one) => one !== undefined)!.join('.');
    throw new InvalidInputError(
      field,
      `makes the event name ${name} longer than ${MAX_NAME_LENGTH} characters; use a shorter value, such as an id`,
      { event: name },
    );
  }
  return full;
}

function segmentOf(value: unknown, field: string, name: string): string {
  const refuse = (what: string): never => {
    throw new InvalidInputError(field, `${what}, and the event name ${name} needs its value`, {
      event: name,
    });
  };
  if (value === undefined) return refuse('is missing');
  if (value === null) return refuse('is null');
  if (value === '') return refuse('is empty');
  switch (typeof value) {
    case 'string':
      return /\p{Surrogate}/u.test(value)
        ? refuse('is not well-formed Unicode')
        : encodeSegment(value);
    case 'number':
      return Number.isFinite(value) ? encodeSegment(String(value)) : refuse(`is ${value}`);
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      return refuse('is not a text, number or boolean');
  }
}

function valueOf(row: unknown, field: readonly string[]): unknown {
  return field.reduce(readProperty, row);
}

/** Dots within braces separate no segments. */
function splitName(name: string): string[] {
  return name.split(/\.(?![^{}]*\})/);
}

/** The path of a segment that is a field; undefined for one that is written out. */
function fieldOf(part: string, name: string): readonly string[] | undefined {
  if (SEGMENT.test(part)) return undefined;
  if (!part.includes('{') && !part.includes('}')) return refuseName(name, RULE);
  if (!part.startsWith('{') || part.indexOf('}') !== part.length - 1) {
    return refuseName(name, 'may have a field only as a whole segment, such as user.{username}');
  }
  const path = part.slice(1, -1).split('.');
  if (!path.every((key) => /^[\w$]+$/.test(key) && !isForbiddenKey(key))) {
    return refuseName(
      name,
      `has the field ${part}, which is not a path of properties such as {owner.slug}`,
    );
  }
  return path;
}

function checkShape(name: unknown): asserts name is string {
  if (typeof name !== 'string') throw new InvalidInputError('event', 'must be text');
  if (name.length > MAX_NAME_LENGTH) {
    throw new InvalidInputError('event', `must have at most ${MAX_NAME_LENGTH} characters`);
  }
}

function refuseSegments(name: string): never {
  return refuseName(name, `must have at most ${MAX_NAME_SEGMENTS} segments`);
}

function refuseName(name: string, reason: string): never {
  throw new InvalidInputError('event', reason, { event: name });
}
