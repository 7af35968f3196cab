import type { RateLimit } from '../message/index.js';

/**
 * What is known of one subscriber's attempts: how many begin in which step of time, of late and soon. Plain values, kept
 * as text by whoever keeps it.
 */
export interface RateWindow {
  /** The limit that the steps are of. */
  readonly limit: RateLimit;
  /** Since when the limit is what it is, as far as is known: an older one never replaces it. */
  readonly since: number;
  /** Number of the first step in `counts`. */
  readonly first: number;
  /** Attempts of each step. */
  readonly counts: readonly number[];
  /** Up to when turns are spoken for by deliveries that wait: first attempts, and those tried again. */
  readonly queued: { readonly firsts: number; readonly retries: number };
  /** When its past was last held to be unknown. */
  readonly blindAt: number;
}

/** What a process wants for one subscriber. */
export interface RateAsk {
  readonly limit: RateLimit;
  /** Since when, as far as this process knows. */
  readonly since: number;
  /** First attempts that have waited for their turn already. */
  readonly waited: number;
  /** First attempts that come just now: behind those that wait. */
  readonly fresh: number;
  /** Attempts that are no first ones, by the same distinction. */
  readonly waitedRetries: number;
  readonly freshRetries: number;
  /** When somebody else may have given turns that are not known here; null: nobody has. */
  readonly blindSince: number | null;
}

/** Turns of one step: its attempts may begin from `from` on, and before `until`. */
export interface Turns {
  readonly from: number;
  readonly until: number;
  readonly count: number;
}

/** When those come that got no turn: the first at `from`, each one `every` milliseconds later, at the begin of a step. */
export interface Wait {
  readonly from: number;
  readonly every: number;
  readonly step: number;
}

/** What a process gets. Turns are for first attempts before others. */
export interface RateAnswer {
  readonly turns: readonly Turns[];
  readonly firsts: Wait;
  readonly retries: Wait;
  /** Whether the limit was another one until now: what waits may wait for too long, or too short a time. */
  readonly isChanged: boolean;
}

/** A window of time is so many steps long. */
const STEPS = 25;
/** An attempt begins in its step or the next one: it is never too late at once. */
const LASTS = 2;
/** Steps that a window may touch: it begins within one, and whoever began before may still be on the way to his own. */
const SPAN = STEPS + LASTS;
/** Milliseconds ahead of which turns are given out. */
const AHEAD = 3000;
/** What may begin at once although nobody waits: as many as can be under way within the time that a turn lasts. */
const BURST = 128;
/** Milliseconds by which the clocks of workers may differ. */
const SKEW = 2000;
/** What lies so many milliseconds further ahead than it can is of a clock that was put back. */
const JUMP = 10_000;

/**
 * Gives turns out. In any `per` milliseconds, from any moment on, there are no more than `max` attempts that keep to
 * theirs. Pure.
 *
 * Time is cut into steps of a 25th of `per`. A turn is good for its step and the one after it, so a window of `per`
 * touches turns of 27 steps at most: no 27 steps in a row ever get more than `max` turns together. The difference of the
 * two is what is lost of the rate: 2 of 27, 7.4 %.
 *
 * @param before null when nothing is known
 */
export function giveTurns(
  before: RateWindow | null,
  ask: RateAsk,
  now: number,
): { readonly window: RateWindow; readonly answer: RateAnswer } {
  const known = seen(fitted(before, ask, now), ask.blindSince, now);
  const { limit } = known;
  const step = stepOf(limit);
  const current = Math.floor(now / step);
  const last = Math.floor((now + AHEAD) / step);
  const oldest = current - SPAN + 1 - Math.ceil(SKEW / step);
  const counts = countsFrom(known, oldest, last);
  const every = (SPAN * step) / limit.max;
  const pace = Math.ceil(limit.max / SPAN);
  const horizon = (last + 1) * step;
  let { firsts, retries } = known.queued;

  const canPass = firsts <= horizon;
  let waited = ask.waited;
  let fresh = canPass ? ask.fresh : 0;
  let again = canPass ? ask.waitedRetries : 0;
  let freshAgain = canPass && retries <= horizon ? ask.freshRetries : 0;
  const isQueue = Math.max(firsts, retries) > now;
  const most = isQueue ? pace : Math.max(pace, Math.min(limit.max, Math.max(BURST, step)));
  const turns: Turns[] = [];
  for (let at = current; at <= last && waited + fresh + again + freshAgain > 0; at++) {
    const place = at - oldest;
    const free = Math.min(most - counts[place]!, room(counts, place, limit.max));
    const count = Math.min(free, waited + fresh + again + freshAgain);
    if (count <= 0) continue;
    counts[place]! += count;
    turns.push({ from: at * step, until: (at + LASTS) * step, count });
    let rest = count;
    [waited, rest] = [Math.max(0, waited - rest), Math.max(0, rest - waited)];
    [fresh, rest] = [Math.max(0, fresh - rest), Math.max(0, rest - fresh)];
    [again, rest] = [Math.max(0, again - rest), Math.max(0, rest - again)];
    freshAgain = Math.max(0, freshAgain - rest);
  }

  const without = {
    firsts: waited + (canPass ? fresh : ask.fresh),
    retries:
      (canPass ? again : ask.waitedRetries) +
      (canPass && retries <= horizon ? freshAgain : ask.freshRetries),
  };
  const start =
    without.firsts + without.retries > 0
      ? (oldest + firstFree(counts, last + 1 - oldest, limit.max)) * step
      : 0;
  const waitFirsts = { from: Math.max(firsts, start), every, step };
  if (without.firsts > 0) firsts = waitFirsts.from + without.firsts * every;
  const waitRetries = { from: Math.max(retries, firsts, start), every, step };
  if (without.retries > 0) retries = waitRetries.from + without.retries * every;
  return {
    window: {
      ...known,
      ...trimmed(counts, oldest),
      queued: { firsts, retries },
    },
    answer: {
      turns,
      firsts: waitFirsts,
      retries: waitRetries,
      isChanged: before !== null && !isSame(before.limit, limit),
    },
  };
}

/** When the one comes that so many of its kind are before. */
export function waitUntil({ from, every, step }: Wait, index: number): number {
  return Math.ceil((from + index * every) / step) * step;
}

/** Until when a window has to be remembered: all that it says is past by then. */
export function rememberedUntil({ limit, first, counts, queued, blindAt }: RateWindow): number {
  const step = stepOf(limit);
  return Math.max(
    (first + counts.length + SPAN) * step,
    queued.firsts,
    queued.retries,
    blindAt + SPAN * step,
  );
}

/** A window as text. */
export function textOf({ limit, since, first, counts, queued, blindAt }: RateWindow): string {
  return JSON.stringify([
    limit.max,
    limit.per,
    since,
    first,
    counts,
    Math.ceil(queued.firsts),
    Math.ceil(queued.retries),
    blindAt,
  ]);
}

/** The window of a text; null when it says nothing. */
export function windowOf(text: string): RateWindow | null {
  if (text === '') return null;
  const [max, per, since, first, counts, firsts, retries, blindAt] = JSON.parse(text) as [
    number,
    number,
    number,
    number,
    readonly number[],
    number,
    number,
    number,
  ];
  return { limit: { max, per }, since, first, counts, queued: { firsts, retries }, blindAt };
}

function stepOf({ per }: RateLimit): number {
  return Math.ceil(per / STEPS);
}

/** The window under the limit that is the latest known. */
function fitted(before: RateWindow | null, { limit, since }: RateAsk, now: number): RateWindow {
  if (before === null) {
    const queued = { firsts: 0, retries: 0 };
    return { limit, since, first: 0, counts: [], queued, blindAt: Number.MIN_SAFE_INTEGER };
  }
  if (since < before.since || isSame(before.limit, limit)) {
    return since > before.since ? { ...before, since } : before;
  }
  const queued = { firsts: 0, retries: 0 };
  const [old, step] = [stepOf(before.limit), stepOf(limit)];
  if (old === step) return { ...before, limit, since, queued };
  // What began in an old step did so before its end and the next one's: the later it is held to be, the safer.
  const moved = new Map<number, number>();
  for (const [index, count] of before.counts.entries()) {
    const at = Math.floor(((before.first + index + LASTS) * old - 1) / step);
    moved.set(at, (moved.get(at) ?? 0) + count);
  }
  const oldest = Math.floor((now - SKEW) / step) - SPAN;
  const places = [...moved.keys()].filter((at) => at >= oldest);
  const first = places.length === 0 ? oldest : Math.min(...places);
  const length = places.length === 0 ? 0 : Math.max(...places) - first + 1;
  const counts = Array.from({ length }, (_, index) => moved.get(first + index) ?? 0);
  return { ...before, limit, since, first, counts, queued };
}

/** The window with everything used up, when it may not be told what there was of late. */
function seen(window: RateWindow, blindSince: number | null, now: number): RateWindow {
  const { limit, first, counts, queued } = window;
  const step = stepOf(limit);
  const [current, last] = [Math.floor(now / step), Math.floor((now + AHEAD) / step)];
  const isPutBack = first + counts.length - 1 > last + Math.ceil(JUMP / step);
  const isUnknown =
    blindSince !== null &&
    blindSince > window.blindAt &&
    // What was given before is past by now.
    blindSince + AHEAD + SPAN * step > now;
  if (!isPutBack && !isUnknown) return window;
  return {
    ...window,
    first: current,
    counts: Array.from({ length: last - current + 1 }, () => limit.max),
    queued: isPutBack ? { firsts: 0, retries: 0 } : queued,
    blindAt: now,
  };
}

/** One count for each step from `oldest` on, some beyond the last that is known included. */
function countsFrom({ limit, first, counts }: RateWindow, oldest: number, last: number): number[] {
  const length = Math.max(last, first + counts.length - 1) - oldest + SPAN;
  const result = Array.from({ length }, () => 0);
  for (const [index, count] of counts.entries()) {
    const place = first + index - oldest;
    if (place >= 0) result[place]! += Math.min(count, limit.max);
  }
  return result;
}

/** How many more turns a step can give: each run of steps that it is in is full at `max`. */
function room(counts: readonly number[], place: number, max: number): number {
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
function firstFree(counts: readonly number[], from: number, max: number): number {
  let place = from;
  while (place < counts.length && room(counts, place, max) === 0) place++;
  return place;
}

/** Without the steps at both ends that nothing begins in. */
function trimmed(
  counts: readonly number[],
  oldest: number,
): { readonly first: number; readonly counts: readonly number[] } {
  let [from, to] = [0, counts.length];
  while (to > 0 && counts[to - 1] === 0) to--;
  while (from < to && counts[from] === 0) from++;
  return { first: oldest + from, counts: counts.slice(from, to) };
}

function isSame(one: RateLimit, other: RateLimit): boolean {
  return one.max === other.max && one.per === other.per;
}
