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
