import type { CheckedOutboxOptions } from '../outbox-options.js';

/** Milliseconds of a day. */
export const DAY = 24 * 60 * 60_000;

/** The age limits of retention: data finished before these times is dropped. Milliseconds since the Unix epoch. */
export interface RetentionLimits {
  readonly messages: number;
  readonly bodies: number;
  readonly responses: number;
}

/** Nothing is as old as these. */
export const NO_LIMITS: RetentionLimits = { messages: 0, bodies: 0, responses: 0 };

/**
 * Computes the limits at a given time. Bodies and responses are dropped with their message, unless they are dropped
 * before.
 */
export function retentionLimits(
  { retentionDays, payloadDays, responseDays }: CheckedOutboxOptions,
  now: number,
): RetentionLimits {
  // The columns of times are whole numbers; a part of a day need not be one.
  const before = (days: number) => Math.round(now - days * DAY);
  return {
    messages: before(retentionDays),
    bodies: before(payloadDays),
    responses: before(responseDays),
  };
}
