/**
 * How late a bare timer fires that is started now: what a busy machine adds to any deadline of the same length, whoever
 * keeps it.
 */
export async function lateness(milliseconds: number): Promise<number> {
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return Math.max(0, performance.now() - began - milliseconds);
}
