/** How long one request works through something long, in milliseconds; its answer says where to go on. */
const LONGEST = 1000;

/** Stops the work between two batches when its time is up. */
export async function withinTimeBudget<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), LONGEST);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
