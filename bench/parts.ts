/** A part of a benchmark that can be run by itself. */
export interface Part<Ground> {
  readonly name: string;
  run(ground: Ground): Promise<void>;
}

/**
 * The parts of a benchmark that are to be run.
 *
 * @param wanted their names; all when there are none
 */
export function partsOf<Ground>(
  bench: string,
  parts: Readonly<Record<string, Part<Ground>['run']>>,
  wanted: readonly string[],
): readonly Part<Ground>[] {
  const names = wanted.length === 0 ? Object.keys(parts) : wanted;
  return names.map((name) => {
    const run = parts[name];
    if (run !== undefined) return { name, run };
    throw new Error(`${bench} has no part ${name}, only ${Object.keys(parts).join(', ')}`);
  });
}
