/** Below this a difference is that of a request under way. */
const NOTICEABLE = 5000;
let difference = 0;

/** Compares the clock of this machine with the server's, by the header `date` of an answer. */
export function compareClock(date: string | null): void {
  const found = Date.parse(date ?? '') - Date.now();
  if (!Number.isNaN(found)) difference = Math.abs(found) < NOTICEABLE ? 0 : found;
}

/** The server's time, in milliseconds since the Unix epoch: all times that are shown are the server's. */
export function now(): number {
  return Date.now() + difference;
}
