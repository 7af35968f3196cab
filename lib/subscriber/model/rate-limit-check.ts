import { InvalidInputError } from '../../errors/index.js';
import type { RateLimit } from '../../message/recipient.js';

/** Most attempts of a {@link RateLimit}. */
export const MAX_RATE = 1_000_000;
/** Shortest time of a {@link RateLimit}, in milliseconds. */
export const MIN_RATE_PER = 1000;
/** Longest time of a {@link RateLimit}, in milliseconds. */
export const MAX_RATE_PER = 3_600_000;

/** @throws {@link InvalidInputError} for `rateLimit` unless it is null or a limit that makes sense */
export function checkRateLimit(value: unknown): RateLimit | null {
  if (value === null) return null;
  const given = value as Partial<RateLimit>;
  if (
    typeof value !== 'object' ||
    Object.keys(value).some((key) => key !== 'max' && key !== 'per') ||
    !isWhole(given.max, 1, MAX_RATE) ||
    !isWhole(given.per, MIN_RATE_PER, MAX_RATE_PER)
  ) {
    throw new InvalidInputError(
      'rateLimit',
      `must be null, or an object of max, a whole number from 1 to ${MAX_RATE}, and per, milliseconds from ${MIN_RATE_PER} to ${MAX_RATE_PER}`,
    );
  }
  return { max: given.max, per: given.per };
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}
