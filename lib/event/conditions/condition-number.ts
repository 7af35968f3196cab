/**
 * A decimal number in a form that can be compared exactly: its significant digits without zeros at either end, and the
 * position of the first digit. For example, 0.0123 has the digits 123 and magnitude -1; 1230 has the digits 123 and
 * magnitude 4.
 */
interface ExactNumber {
  readonly sign: -1 | 0 | 1;
  readonly digits: string;
  readonly magnitude: number;
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,9}))?$/i;
const LONGEST = 10_000;

/** An object with a numeric value of its own: of decimal.js, big.js, bignumber.js, or a boxed number. */
export function isDecimal(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || value instanceof Date) return false;
  if (typeof (value as { toFixed?: unknown }).toFixed === 'function') return true;
  return value instanceof Number || value instanceof BigInt;
}

export function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint' || isDecimal(value);
}

/**
 * Compares two numbers by their exact value, never as floats: numbers, bigints, decimal objects and their texts.
 *
 * @returns negative, 0 or positive; undefined when one of them is not a number
 */
export function compareNumbers(left: unknown, right: unknown): number | undefined {
  if (isPrimitiveNumber(left) && isPrimitiveNumber(right)) {
    // JavaScript compares a number with a bigint exactly.
    return left < right ? -1 : left > right ? 1 : left >= right ? 0 : undefined;
  }
  const a = parseExact(left);
  const b = parseExact(right);
  return a === undefined || b === undefined ? undefined : compareExact(a, b);
}

/** Tells whether a text is a decimal number, an exponent allowed. */
export function isDecimalText(text: string): boolean {
  return parseExact(text) !== undefined;
}

/** The same text for all that {@link compareNumbers} holds to be equal; undefined for anything else. */
export function numberKey(value: unknown): string | undefined {
  const exact = parseExact(value);
  return exact && `${exact.sign}/${exact.digits}/${exact.magnitude}`;
}

function isPrimitiveNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function parseExact(value: unknown): ExactNumber | undefined {
  if (typeof value !== 'string' && !isNumeric(value)) return undefined;
  const text = String(value);
  const match = text.length > LONGEST ? null : DECIMAL.exec(text);
  if (match === null) return undefined;
  const whole = match[2] ?? '';
  const fraction = match[3] ?? '';
  const all = whole + fraction;
  if (all === '') return undefined;
  const start = firstNonZero(all);
  if (start === all.length) return { sign: 0, digits: '', magnitude: 0 };
  return {
    sign: match[1] === '-' ? -1 : 1,
    digits: all.slice(start, lastNonZero(all) + 1),
    magnitude: whole.length - start + Number(match[4] ?? 0),
  };
}

function compareExact(a: ExactNumber, b: ExactNumber): number {
  if (a.sign !== b.sign) return a.sign - b.sign;
  if (a.magnitude !== b.magnitude) return a.sign * (a.magnitude - b.magnitude);
  // Same sign, first digits in the same place: digit by digit is alphabetical order.
  return a.digits === b.digits ? 0 : a.digits < b.digits ? -a.sign : a.sign;
}

function firstNonZero(digits: string): number {
  let index = 0;
  while (index < digits.length && digits.charCodeAt(index) === 48) index++;
  return index;
}

function lastNonZero(digits: string): number {
  let index = digits.length - 1;
  while (index >= 0 && digits.charCodeAt(index) === 48) index--;
  return index;
}
