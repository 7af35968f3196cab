/**
 * The only source of time. Every timestamp that the library stores, sends or compares comes from this class, so a test
 * can replace it and move the time.
 *
 * Pluggable: this class is the injection token; the default is {@link SystemClock}.
 */
export abstract class Clock {
  /** Milliseconds since the Unix epoch. */
  abstract now(): number;
}

/** The machine's wall clock. */
export class SystemClock extends Clock {
  override now(): number {
    return Date.now();
  }
}

const DURATION = /^(\d{1,12})(ms|s|m|h|d)$/;
const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of a text such as `24h`, `90m` or `7d`; null when it is none. */
export function parseDuration(text: string): number | null {
  const [, amount, unit] = DURATION.exec(text) ?? [];
  return unit === undefined ? null : Number(amount) * UNITS[unit]!;
}

// The date alone is midnight in UTC, as in JavaScript.
const ISO = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** @returns null when the text is not a point in time in ISO 8601 with its zone */
export function parseIsoDate(text: unknown): Date | null {
  if (typeof text !== 'string' || !ISO.test(text)) return null;
  const moment = new Date(text);
  // JavaScript reads a day that does not exist, such as February 31, as one of the next month.
  const exists = new Date(text.slice(0, 10)).getUTCDate() === Number(text.slice(8, 10));
  return Number.isNaN(moment.getTime()) || !exists ? null : moment;
}
