/** Measures how late a bare timer fires: what a busy machine adds to any deadline of the same length. */
export async function measureTimerLateness(milliseconds: number): Promise<number> {
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return Math.max(0, performance.now() - began - milliseconds);
}
