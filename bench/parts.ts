/** A part of a benchmark that can be run by itself. */
export interface Part<Ground> {
  readonly name: string;
  run(ground: Ground): Promise<void>;
}

/** Milliseconds that a part may take, and that its services may take to stop after it has failed. */
const LIMITS = { part: 600_000, stop: 30_000 };

/**
 * The parts of a benchmark that are to be run. A part that fails, or takes too long, is named and ends the run.
 *
 * @param wanted their names; all when there are none
 */
export function partsOf<Ground>(
  bench: string,
  parts: Readonly<Record<string, Part<Ground>['run']>>,
  wanted: readonly string[],
  limits = LIMITS,
): readonly Part<Ground>[] {
  const names = wanted.length === 0 ? Object.keys(parts) : wanted;
  return names.map((name) => {
    const run = parts[name];
    if (run !== undefined) return { name, run: limited(`${bench}:${name}`, run, limits) };
    throw new Error(`${bench} has no part ${name}, only ${Object.keys(parts).join(', ')}`);
  });
}

function limited<Ground>(
  name: string,
  run: Part<Ground>['run'],
  limits: typeof LIMITS,
): Part<Ground>['run'] {
  return async (ground) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new Error(`it has not ended within ${limits.part / 1000} s`);
      timer = setTimeout(() => reject(error), limits.part);
    });
    try {
      await Promise.race([run(ground), late]);
    } catch (error) {
      console.error(`FAILED: ${name}: ${String(error)}`);
      // What waits for itself may not stop either.
      setTimeout(() => process.exit(1), limits.stop);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
}
