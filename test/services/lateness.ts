const INTERVAL = 10;

/**
 * Watches how late timers fire from now on: what a busy machine adds to any deadline.
 *
 * @returns ends the watch, and tells the sum in milliseconds
 */
export function watchLateness(): () => number {
  let last = performance.now();
  let sum = 0;
  const look = () => {
    const now = performance.now();
    sum += Math.max(0, now - last - INTERVAL);
    last = now;
  };
  const timer = setInterval(look, INTERVAL);
  return () => {
    clearInterval(timer);
    look();
    return sum;
  };
}
