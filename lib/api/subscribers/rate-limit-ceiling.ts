import { InvalidInputError } from '../../errors/index.js';
import type { RateLimit } from '../../message/recipient.js';
import { checkRateLimit, MAX_RATE } from '../../subscriber/index.js';

const MINUTE = 60_000;

interface Limited {
  readonly rateLimit?: RateLimit | null;
}

/** The checked fields of a new subscriber, with the operator's limit when they name no limit. */
export function withRateLimitCeiling<Fields extends Limited>(
  fields: Fields,
  perMinute: number,
): Fields | (Fields & { readonly rateLimit: RateLimit }) {
  if (fields.rateLimit !== undefined || perMinute === Number.POSITIVE_INFINITY) return fields;
  return { ...fields, rateLimit: { max: Math.min(perMinute, MAX_RATE), per: MINUTE } };
}

/** @throws {@link InvalidInputError} for `rateLimit` when it allows more than the operator does */
export function checkRateLimitCeiling({ rateLimit }: Limited, perMinute: number): void {
  if (rateLimit === undefined || perMinute === Number.POSITIVE_INFINITY) return;
  const checked = checkRateLimit(rateLimit);
  // All `max` attempts may run at once, so a limit over more than a minute allows `max` of them in its first minute.
  const most = checked === null ? Infinity : checked.max * Math.max(1, MINUTE / checked.per);
  if (most <= perMinute) return;
  throw new InvalidInputError('rateLimit', `must allow no more than ${perMinute} in a minute`, {
    reason: 'too-high',
    max: perMinute,
  });
}
