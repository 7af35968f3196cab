/** A smaller difference comes from the time that a request takes, and is ignored. */
const NOTICEABLE = 5000;
let difference = 0;

/** Compares the clock of this machine with the server's, by the header `date` of an answer. */
export function compareClock(date: string | null): void {
  const found = Date.parse(date ?? '') - Date.now();
  if (!Number.isNaN(found)) difference = Math.abs(found) < NOTICEABLE ? 0 : found;
}

/**
 * The time of the server, in milliseconds since the Unix epoch. The page compares times with it, because all times of
 * the API are times of the server.
 */
export function now(): number {
  return Date.now() + difference;
}
