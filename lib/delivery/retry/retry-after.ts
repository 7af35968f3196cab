/**
 * Parses a `Retry-After` header (RFC 9110, section 10.2.3): whole seconds, or an HTTP date. The two obsolete forms of a
 * date, which servers have not sent since HTTP/1.1, are not read.
 *
 * @param value the header as received
 * @param now milliseconds since the Unix epoch
 * @returns milliseconds from `now`, 0 for a past date; null when the text is neither form
 */
export function parseRetryAfter(value: string, now: number): number | null {
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  // JavaScript reads many other texts as a date, but writes a date in the form of HTTP alone.
  const isHttpDate = !Number.isNaN(date) && new Date(date).toUTCString() === value;
  return isHttpDate ? Math.max(0, date - now) : null;
}
