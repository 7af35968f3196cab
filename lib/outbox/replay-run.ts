import { InvalidInputError } from '../errors/index.js';
import type { ReplayOptions } from './deliveries-input.js';
import type { OutboxStrategy } from './outbox.strategy.js';
import { NOTHING, type ReplayBatch, type ReplaySummary, sum } from './replay.js';
import type { Shard } from './shard.js';

/**
 * Runs a bulk verb batch by batch, one data source after the other, until it is through or stopped.
 *
 * @throws {@link InvalidInputError} when `after` is no cursor of an earlier run
 */
export async function inBatches(
  outbox: OutboxStrategy,
  { after, signal, onProgress, dryRun = false }: ReplayOptions,
  batch: (shard: Shard, after: string | null) => Promise<ReplayBatch>,
): Promise<ReplaySummary> {
  let { index, rest } = placeOf(after ?? null, outbox.shards.length);
  let summary: ReplaySummary = { ...NOTHING, next: after ?? null };
  while (index < outbox.shards.length) {
    if (signal?.aborted === true) break;
    const { counts, next } = await batch(outbox.shards[index]!, rest);
    rest = next;
    if (next === null) index++;
    const isThrough = index === outbox.shards.length;
    summary = { ...sum(summary, counts), next: isThrough ? null : `${index}/${rest ?? ''}` };
    if (!dryRun && counts.scheduled > 0) outbox.wake();
    await onProgress?.(summary);
  }
  return summary;
}

/** Reads the cursor of a bulk verb: which data source, and where in it. */
function placeOf(after: string | null, shards: number): { index: number; rest: string | null } {
  if (after === null) return { index: 0, rest: null };
  const [, index, rest] = /^(\d{1,3})\/(.*)$/.exec(after) ?? [];
  if (index === undefined || Number(index) >= shards) {
    throw new InvalidInputError('after', 'must be the "next" of an earlier call');
  }
  return { index: Number(index), rest: rest === '' ? null : rest! };
}
