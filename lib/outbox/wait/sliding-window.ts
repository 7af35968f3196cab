import type { RateLimit } from '../../message/index.js';

/** One count for each step from `oldest` on, and for some steps after the last one that is known. */
export function countsFrom(
  { limit, first, counts }: SlidingWindow,
  oldest: number,
  last: number,
): number[] {
  const length = Math.max(last, first + counts.length - 1) - oldest + SPAN;
  const result = Array.from({ length }, () => 0);
  for (const [index, count] of counts.entries()) {
    const moment = first + index - oldest;
    if (moment >= 0) result[moment]! += Math.min(count, limit.max);
  }
  return result;
}

/** The permits that a step can still grant: each run of steps that it is in is full at `max`. */
export function room(counts: readonly number[], moment: number, max: number): number {
  const from = Math.max(0, moment - SPAN + 1);
  let sum = 0;
  for (let at = from; at < from + SPAN && at < counts.length; at++) sum += counts[at]!;
  let most = sum;
  for (let begin = from + 1; begin <= moment; begin++) {
    sum -= counts[begin - 1]!;
    sum += counts[begin + SPAN - 1] ?? 0;
    most = Math.max(most, sum);
  }
  return Math.max(0, max - most);
}

/** The first moment from `from` on that can grant a permit. There is one once all known steps are past. */
export function firstFree(counts: readonly number[], from: number, max: number): number {
  let moment = from;
  while (moment < counts.length && room(counts, moment, max) === 0) moment++;
  return moment;
}

/** Without the steps at both ends that nothing begins in. */
export function trimmed(
  counts: readonly number[],
  oldest: number,
): { readonly first: number; readonly counts: readonly number[] } {
  let [from, to] = [0, counts.length];
  while (to > 0 && counts[to - 1] === 0) to--;
  while (from < to && counts[from] === 0) from++;
  return { first: oldest + from, counts: counts.slice(from, to) };
}

/** One subscriber's attempts per step of time, recent and upcoming. Plain values, stored as text. */
export interface SlidingWindow {
  /** The limit that the steps are of. */
  readonly limit: RateLimit;
  /** When the limit was set, as far as this process knows. A limit that was set earlier never replaces it. */
  readonly since: number;
  /** Number of the first step in `counts`. */
  readonly first: number;
  /** Attempts of each step. */
  readonly counts: readonly number[];
  /** Up to when permits are reserved for waiting deliveries: first attempts, and retries. */
  readonly queued: { readonly firsts: number; readonly retries: number };
}

/** The number of steps in `per` milliseconds. */
const STEPS = 25;
/** The number of steps in which a permit is valid: its own and the next, so that no permit expires as soon as it is granted. */
export const LASTS = 2;
/** Steps that a window may touch. The window begins within one step, and earlier requests may still be on their way. */
export const SPAN = STEPS + LASTS;
/** Milliseconds ahead for which permits are granted. */
export const AHEAD = 3000;
/** Milliseconds by which the clocks of workers may differ. */
export const SKEW = 2000;
/** Times further ahead than this come from a clock that was set back. */
const JUMP = 10_000;

/** Until when a window has to be remembered: all that it says is past by then. */
export function expiresAt({ limit, first, counts, queued }: SlidingWindow): number {
  const step = toStep(limit);
  return Math.max((first + counts.length + SPAN) * step, queued.firsts, queued.retries);
}

/** A window as text. */
export function serializeWindow({ limit, since, first, counts, queued }: SlidingWindow): string {
  return JSON.stringify([
    limit.max,
    limit.per,
    since,
    first,
    counts,
    Math.ceil(queued.firsts),
    Math.ceil(queued.retries),
  ]);
}

/** The window of a text; null when it says nothing. */
export function parseWindow(text: string): SlidingWindow | null {
  if (text === '') return null;
  const [max, per, since, first, counts, firsts, retries] = JSON.parse(text) as [
    number,
    number,
    number,
    number,
    readonly number[],
    number,
    number,
  ];
  return { limit: { max, per }, since, first, counts, queued: { firsts, retries } };
}

/** Milliseconds of a step. */
export function toStep({ per }: RateLimit): number {
  return Math.ceil(per / STEPS);
}

/** The window under the limit that is the latest known. */
export function underLatestLimit(
  before: SlidingWindow | null,
  { limit, since }: Pick<SlidingWindow, 'limit' | 'since'>,
  now: number,
): SlidingWindow {
  if (before === null) {
    const queued = { firsts: 0, retries: 0 };
    return { limit, since, first: 0, counts: [], queued };
  }
  const isSame = isSameLimit(before.limit, limit);
  if (since < before.since || (isSame && since === before.since)) return before;
  // Of a subscriber that was disabled meanwhile, the deliveries that had their time are gone.
  const queued = { firsts: 0, retries: 0 };
  if (isSame) return { ...before, since, queued };
  const [old, step] = [toStep(before.limit), toStep(limit)];
  if (old === step) return { ...before, limit, since, queued };
  // An attempt that began in an old step is counted at the end of that step, since a later time is the safer one.
  const moved = new Map<number, number>();
  for (const [index, count] of before.counts.entries()) {
    const at = Math.floor(((before.first + index + LASTS) * old - 1) / step);
    moved.set(at, (moved.get(at) ?? 0) + count);
  }
  const oldest = Math.floor((now - SKEW) / step) - SPAN;
  const moments = [...moved.keys()].filter((at) => at >= oldest);
  const first = moments.length === 0 ? oldest : Math.min(...moments);
  const length = moments.length === 0 ? 0 : Math.max(...moments) - first + 1;
  const counts = Array.from({ length }, (_, index) => moved.get(first + index) ?? 0);
  return { ...before, limit, since, first, counts, queued };
}

/** The window with all permits used up when the clock was put back: its recent history is not known. */
export function usedUpIfPutBack(window: SlidingWindow, now: number): SlidingWindow {
  const { limit, first, counts } = window;
  const step = toStep(limit);
  const [current, last] = [Math.floor(now / step), Math.floor((now + AHEAD) / step)];
  if (first + counts.length - 1 <= last + Math.ceil(JUMP / step)) return window;
  return {
    ...window,
    first: current,
    counts: Array.from({ length: last - current + 1 }, () => limit.max),
    queued: { firsts: 0, retries: 0 },
  };
}

/** True when two limits are equal. */
export function isSameLimit(one: RateLimit, other: RateLimit): boolean {
  return one.max === other.max && one.per === other.per;
}
