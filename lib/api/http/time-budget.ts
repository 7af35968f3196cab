/** The time that one request spends on long work, in milliseconds; the answer says where to go on. */
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
