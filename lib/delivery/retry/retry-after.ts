const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TIME = '(?<h>\\d\\d):(?<m>\\d\\d):(?<s>\\d\\d)';
// The three date forms that RFC 9110, section 5.6.7 requires recipients to accept; anything else is not a date.
const FORMS = [
  new RegExp(`^[A-Z][a-z]{2}, (?<day>\\d\\d) (?<month>[A-Z][a-z]{2}) (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(
    `^[A-Z][a-z]{5,8}, (?<day>\\d\\d)-(?<month>[A-Z][a-z]{2})-(?<year>\\d\\d) ${TIME} GMT$`,
  ),
  new RegExp(`^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];

/**
 * Parses a `Retry-After` header (RFC 9110, section 10.2.3): whole seconds, or an HTTP date.
 *
 * @param value the header as received
 * @param now milliseconds since the Unix epoch
 * @returns milliseconds from `now`, 0 for a past date; null when the text is neither form
 */
export function parseRetryAfter(value: string, now: number): number | null {
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = parseHttpDate(value, now);
  return date === null ? null : Math.max(0, date - now);
}

function parseHttpDate(value: string, now: number): number | null {
  for (const form of FORMS) {
    const parts = form.exec(value)?.groups;
    if (parts === undefined) continue;
    const date = Date.UTC(
      yearOf(parts['year']!, now),
      MONTHS.indexOf(parts['month']!),
      Number(parts['day']),
      Number(parts['h']),
      Number(parts['m']),
      Number(parts['s']),
    );
    return exists(date, parts, value) ? date : null;
  }
  return null;
}

/** Two digits mean the latest year with this ending that is at most 50 years ahead. */
function yearOf(digits: string, now: number): number {
  if (digits.length === 4) return Number(digits);
  const latest = new Date(now).getUTCFullYear() + 50;
  return latest - ((latest - Number(digits)) % 100);
}

/** Date.UTC turns 31 February into March, and cannot check the day of the week. */
function exists(date: number, parts: Record<string, string>, value: string): boolean {
  if (Number.isNaN(date)) return false;
  const [weekday, day, month, , time] = new Date(date).toUTCString().replace(',', '').split(' ');
  return (
    value.startsWith(weekday!) &&
    Number(day) === Number(parts['day']) &&
    month === parts['month'] &&
    time === `${parts['h']}:${parts['m']}:${parts['s']}`
  );
}
