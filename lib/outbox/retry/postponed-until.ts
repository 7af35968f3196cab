const SOONEST = 10_000;
const LATEST = 60 * 60_000;

/**
 * The time to look again at a message or delivery that failed for a reason of our own: soon at first, later once an hour.
 * It is never given up, whatever its age, because the reason may be fixed.
 *
 * @param since when the message was made, in milliseconds since the Unix epoch
 */
export function postponedUntil(since: number, now: number): number {
  return now + Math.min(LATEST, Math.max(SOONEST, now - since));
}
