import type { OutboxSettings } from '../model/outbox-options.js';

const DAY = 24 * 60 * 60_000;

/** How old what is dropped has to be: finished before that, in milliseconds since the Unix epoch. */
export interface RetentionLimits {
  readonly messages: number;
  readonly bodies: number;
  readonly answers: number;
}

/** What the settings say at a moment. Bodies and answers go with their message, unless they are to go before. */
export function retentionLimits(
  { retentionDays, payloadDays, responseDays }: OutboxSettings,
  now: number,
): RetentionLimits {
  const before = (days: number) => now - days * DAY;
  return {
    messages: before(retentionDays),
    bodies: before(payloadDays),
    answers: before(responseDays),
  };
}
