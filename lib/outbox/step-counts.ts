import { type RateWindow, SPAN } from './rate-window.js';

/** One count for each step from `oldest` on, some beyond the last that is known included. */
export function countsFrom(
  { limit, first, counts }: RateWindow,
  oldest: number,
  last: number,
): number[] {
  const length = Math.max(last, first + counts.length - 1) - oldest + SPAN;
  const result = Array.from({ length }, () => 0);
  for (const [index, count] of counts.entries()) {
    const place = first + index - oldest;
    if (place >= 0) result[place]! += Math.min(count, limit.max);
  }
  return result;
}

/** How many more turns a step can give: each run of steps that it is in is full at `max`. */
export function room(counts: readonly number[], place: number, max: number): number {
  const from = Math.max(0, place - SPAN + 1);
  let sum = 0;
  for (let at = from; at < from + SPAN && at < counts.length; at++) sum += counts[at]!;
  let most = sum;
  for (let begin = from + 1; begin <= place; begin++) {
    sum -= counts[begin - 1]!;
    sum += counts[begin + SPAN - 1] ?? 0;
    most = Math.max(most, sum);
  }
  return Math.max(0, max - most);
}

/** The first place from `from` on that can give a turn; there is one as soon as everything known is past. */
export function firstFree(counts: readonly number[], from: number, max: number): number {
  let place = from;
  while (place < counts.length && room(counts, place, max) === 0) place++;
  return place;
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
