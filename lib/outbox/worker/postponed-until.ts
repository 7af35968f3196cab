const SOONEST = 10_000;
const LATEST = 60 * 60_000;

/**
 * When to look again at what cannot be done now for a reason of our own: soon at first, at last once an hour. It is never
 * given up, whatever its age: somebody may mend the reason.
 *
 * @param since when the message was made, in milliseconds since the Unix epoch
 */
export function postponedUntil(since: number, now: number): number {
  return now + Math.min(LATEST, Math.max(SOONEST, now - since));
}
