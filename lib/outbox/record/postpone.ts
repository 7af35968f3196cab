import type { DeliveryJob } from '../store/delivery-job.js';
import { record } from './record.js';

const SOONEST = 10_000;
const LATEST = 60 * 60_000;

/**
 * Leaves a delivery for later without an attempt: it waits as a row, and any worker may claim it then.
 */
export function postpone(job: DeliveryJob, until: number, at: number): void {
  if (job.heldLease.isLost) return;
  const state = { ...job.state, nextAt: until };
  record(job, { state, attempt: null, at, disablesSubscriber: false });
}

/**
 * The time to try a message or delivery again that could not be read, for example because a key of `encryption` is missing: after
 * ten seconds, and once an hour when it is old. It is never given up, because the application may be repaired.
 *
 * @param since when the message was made, in milliseconds since the Unix epoch
 */
export function postponedUntil(since: number, now: number): number {
  return now + Math.min(LATEST, Math.max(SOONEST, now - since));
}
