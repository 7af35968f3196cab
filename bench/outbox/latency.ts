import { median, paced, ratio, type Turns } from '../harness.js';
import type { Forked } from '../contenders/forked.js';
import type { Contender } from './contender.js';

/** Milliseconds of each turn that do not count: while the others had their turns, its connections were closed. */
const RECONNECT = 1000;

/** How {@link percentiles} measures. */
export interface Pace extends Turns {
  readonly eventsPerSecond: number;
  /** Answers of subscribers from this one on do not count. Default: all count. */
  readonly subscribers?: number;
}

/**
 * Sends events at an even pace, by turns, whether the ones before have arrived or not.
 *
 * @returns for each contender the 99th percentile of the milliseconds from send to answer, round by round
 */
export async function percentiles(
  contenders: readonly Forked[],
  pace: Pace,
): Promise<Map<string, number[]>> {
  const { p99 } = await medianAndPercentile(contenders, pace);
  return p99;
}

/** {@link percentiles}, and the medians beside them. */
export async function medianAndPercentile(
  contenders: readonly Forked[],
  pace: Pace,
): Promise<Record<'p50' | 'p99', Map<string, number[]>>> {
  const byName = () => new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  const [p50, p99] = [byName(), byName()];
  const { warmUp, turn, rounds } = paced(pace);
  for (const contender of contenders) await contender.latencies(pace, warmUp);
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      await contender.latencies(pace, RECONNECT);
      const all = (await contender.latencies(pace, turn)).sort((a, b) => a - b);
      p50.get(contender.name)!.push(all[Math.floor(all.length * 0.5)]!);
      p99.get(contender.name)!.push(all[Math.floor(all.length * 0.99)]!);
    }
  }
  for (const [name, found] of p99) {
    const half = median(p50.get(name)!).toFixed(1);
    console.error(`${name}: median ${half} ms, p99 ${median(found).toFixed(1)} ms`);
  }
  return { p50, p99 };
}

/** Milliseconds from send to answer, of each answer. */
export async function latencies(
  contender: Contender,
  { eventsPerSecond, subscribers = Infinity }: Pace,
  milliseconds: number,
): Promise<number[]> {
  const found: number[] = [];
  const sent: Promise<void>[] = [];
  const begin = performance.now();
  const count = Math.floor((milliseconds * eventsPerSecond) / 1000);
  for (let n = 0; n < count; n++) {
    const wait = begin + (n * 1000) / eventsPerSecond - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const began = performance.now();
    sent.push(
      contender.send((subscriber) => {
        if (subscriber < subscribers) found.push(performance.now() - began);
      }),
    );
  }
  await Promise.all(sent);
  return found;
}

/** The median of the ratios within each round. */
export function ratioOf(found: ReadonlyMap<string, number[]>, of: string, to: string): number {
  return ratio(found.get(of)!, found.get(to)!);
}
