import { parseIsoDate } from '../../common/time.js';
import { InvalidInputError } from '../../errors/index.js';

/**
 * Reads the end of a subscriber: a `Date`, or ISO 8601, as in JSON.
 *
 * @param now milliseconds since the Unix epoch
 * @throws {@link InvalidInputError} for `expiresAt` unless it is null or a time after `now`
 */
export function checkEnd(value: unknown, now: number): Date | null {
  if (value === null) return null;
  const end = value instanceof Date ? value : parseIsoDate(value);
  if (end === null || Number.isNaN(end.getTime())) {
    throw new InvalidInputError(
      'expiresAt',
      'must be null or a time: a Date, or ISO 8601 with its zone, for example 2026-01-31T08:00:00Z',
      { reason: 'not-a-time' },
    );
  }
  if (end.getTime() > now) return end;
  throw new InvalidInputError('expiresAt', 'must be in the future', {
    reason: 'not-in-the-future',
  });
}
