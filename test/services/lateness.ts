/** Measures how late a bare timer fires: what a busy machine adds to any deadline of the same length. */
export async function measureTimerLateness(milliseconds: number): Promise<number> {
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return Math.max(0, performance.now() - began - milliseconds);
}

/**
 * Adds up the time for which this process did not get on: what timers are late beyond 20 ms.
 *
 * @returns ends the watch, and answers the milliseconds
 */
export function watchStandstill(): () => number {
  const every = 20;
  let late = 0;
  let last = performance.now();
  const look = () => {
    const now = performance.now();
    late += Math.max(0, now - last - 2 * every);
    last = now;
  };
  const timer = setInterval(look, every);
  return () => {
    clearInterval(timer);
    look();
    return late;
  };
}
