import { isObject } from '../common/objects.js';
import { InvalidInputError } from '../errors/index.js';

/** The most characters of a subject, as its column holds them. */
export const MAX_SUBJECT_LENGTH = 255;

/** The rule that {@link isSubject} checks, for errors. */
export const SUBJECT_RULE = `must be a text of 1 to ${MAX_SUBJECT_LENGTH} characters`;

/** Tells whether a text can be a subject. It refuses half of a character and NUL, which some databases store in no text. */
export function isSubject(text: unknown): text is string {
  return (
    typeof text === 'string' &&
    text.length > 0 &&
    text.length <= MAX_SUBJECT_LENGTH &&
    !/[\0\p{Surrogate}]/u.test(text)
  );
}

/**
 * Returns what a message is about, by which the log finds it.
 *
 * @param named by the event or the caller; null and undefined: nothing is named
 * @param known what stands in its place: the data, of which the id counts, the key and the ref. A text that is no subject
 *   is passed over
 * @throws {@link InvalidInputError} for `subject`
 */
export function subjectOf(
  named: unknown,
  [data, key, ref]: readonly [data: unknown, key: string | null, ref: string | null],
): string | null {
  if (named === undefined || named === null) {
    return [idOf(data), key, ref].find(isSubject) ?? null;
  }
  const text = textOf(named);
  if (!isSubject(text)) {
    throw new InvalidInputError('subject', `${SUBJECT_RULE}, a finite number, a bigint or null`);
  }
  return text;
}

/** The id of data as its JSON has it: a text, or a number as a text. The data's own `toJSON` is left to its encoding. */
function idOf(data: unknown): string | undefined {
  const id = data instanceof Map ? data.get('id') : isObject(data) ? data['id'] : undefined;
  return textOf(jsonOf(id));
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  return typeof value === 'string' || typeof value === 'bigint' ? String(value) : undefined;
}

/** The value that JSON has in place of an object, such as a decimal or an id of a client's own class. */
function jsonOf(value: unknown): unknown {
  return isObject(value) && typeof value['toJSON'] === 'function' ? value['toJSON']('') : value;
}
