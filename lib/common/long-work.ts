import { setImmediate } from 'node:timers/promises';
import { InvalidInputError } from '../errors/index.js';
import { checkKnownFields } from './option-checks.js';

/** Options of long-running work. @typeParam Summary the result so far */
export interface LongWorkOptions<Summary> {
  /** True: only counts. Default false. */
  readonly dryRun?: boolean;
  /** The `next` of an earlier call that did not come to its end. */
  readonly after?: string | null;
  /** Stops between two batches; the result says where to go on. */
  readonly signal?: AbortSignal;
  /** Called after every batch with the counts so far; the next batch waits for it. */
  readonly onProgress?: (summary: Summary) => Promise<void> | void;
}

/** The result of one batch, and the start of the next one; null at the end. */
export interface Batch<Counts> {
  readonly counts: Counts;
  readonly next: string | null;
}

/** Work that is done batch by batch. */
export interface BatchedWork<Counts> {
  /** The counts of an empty run. */
  readonly nothing: Counts;
  /**
   * @param after the `next` of the batch before, or null
   * @throws {@link InvalidInputError} when `after` is no such `next`
   */
  batch(after: string | null): Promise<Batch<Counts>>;
}

/** The result, and where to resume: pass `next` as `after`; null when the work is complete. */
export type Summary<Counts> = Counts & { readonly next: string | null };

const OPTIONS = ['dryRun', 'after', 'signal', 'onProgress'];

/**
 * Checks what all long work has, and that there are no other options.
 *
 * @param names of its own options
 * @throws {@link InvalidInputError} naming the option
 */
export function checkLongWork(options: LongWorkOptions<never>, names: readonly string[]): void {
  checkKnownFields(options, [...names, ...OPTIONS]);
  const { dryRun = false, after = null } = options;
  if (typeof dryRun !== 'boolean') throw new InvalidInputError('dryRun', 'must be true or false');
  if (after !== null && typeof after !== 'string') {
    throw new InvalidInputError('after', 'must be the "next" of an earlier call');
  }
}

/**
 * Runs long work until it is complete or stopped.
 *
 * @throws what a batch throws
 */
export async function runInBatches<Counts extends object>(
  work: BatchedWork<Counts>,
  { after = null, signal, onProgress }: LongWorkOptions<Summary<Counts>>,
): Promise<Summary<Counts>> {
  let summary: Summary<Counts> = { ...work.nothing, next: after };
  let isThrough = false;
  while (!isThrough) {
    if (signal?.aborted === true) break;
    const { counts, next } = await work.batch(summary.next);
    summary = { ...sumOf(summary, counts), next };
    isThrough = next === null;
    await onProgress?.(summary);
    // SQLite answers without a turn of the event loop: batch after batch would leave none for anybody, the signal included.
    await setImmediate();
  }
  return summary;
}

/** Adds the numbers of counts, and joins their lists. */
export function sumOf<Counts extends object>(one: Counts, other: Counts): Counts {
  const before = one as Readonly<Record<string, unknown>>;
  const sums = Object.entries(other).map(([name, value]: [string, unknown]) => [
    name,
    Array.isArray(value)
      ? [...(before[name] as readonly unknown[]), ...(value as readonly unknown[])]
      : Number(before[name]) + Number(value),
  ]);
  return Object.fromEntries(sums) as Counts;
}
