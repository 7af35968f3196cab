import { isDeepStrictEqual } from 'node:util';

/**
 * Whether two values of one column say the same, although one was given by the application and the other read from the
 * database: numbers and their texts, dates and their texts, bytes, nothing in either spelling.
 */
export function sameValue(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (one === null || one === undefined || other === null || other === undefined) {
    return (one ?? null) === (other ?? null);
  }
  if (one instanceof Date || other instanceof Date) return sameTime(one, other);
  if (one instanceof Uint8Array && other instanceof Uint8Array) {
    return Buffer.compare(one, other) === 0;
  }
  if (typeof one === 'object' && typeof other === 'object') return isDeepStrictEqual(one, other);
  if (typeof one === 'string' && typeof other === 'string') return one === other;
  return sameNumber(one, other);
}

function sameTime(one: unknown, other: unknown): boolean {
  const [first, second] = [one, other].map((value) =>
    new Date(value as string | number | Date).getTime(),
  );
  return first === second;
}

function sameNumber(one: unknown, other: unknown): boolean {
  if (typeof one === 'object' || typeof other === 'object') return String(one) === String(other);
  if (String(one) === String(other)) return true;
  return String(one).trim() !== '' && String(other).trim() !== '' && Number(one) === Number(other);
}
