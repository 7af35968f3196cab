import type { DeliveryJob } from '../store/delivery-job.js';
import { record } from './record.js';

const SOONEST = 10_000;
const LATEST = 60 * 60_000;

/**
 * Leaves a delivery for later without an attempt: it waits as a row, and any worker may claim it then.
 *
 * @param permitAt when the rate limit is expected to let it through, if that is all it waits for
 */
export function postpone(
  job: DeliveryJob,
  until: number,
  at: number,
  permitAt: number | null = null,
): void {
  if (job.heldLease.isLost) return;
  const state = { ...job.state, nextAt: until };
  record(job, { state, attempt: null, at, permitAt, disablesSubscriber: false });
}

/**
 * The time to look again at a message or delivery that failed for a reason of our own: soon at first, later once an hour.
 * It is never given up, whatever its age, because the reason may be fixed.
 *
 * @param since when the message was made, in milliseconds since the Unix epoch
 */
export function postponedUntil(since: number, now: number): number {
  return now + Math.min(LATEST, Math.max(SOONEST, now - since));
}
