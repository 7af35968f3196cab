import type { RateLimit } from '../../message/index.js';
import {
  AHEAD,
  isSameLimit,
  LASTS,
  type SlidingWindow,
  SKEW,
  SPAN,
  stepOf,
  underLatestLimit,
  usedUpIfUnknown,
  countsFrom,
  firstFree,
  room,
  trimmed,
} from './sliding-window.js';

/** What a process wants for one subscriber. */
export interface PermitRequest {
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
  readonly historyUnknownSince: number | null;
}

/** Turns of one step: its attempts may begin from `from` on, and before `until`. */
export interface Permits {
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
export interface PermitGrant {
  readonly turns: readonly Permits[];
  readonly firsts: Wait;
  readonly retries: Wait;
  /** Whether the limit was another one until now: what waits may wait for too long, or too short a time. */
  readonly isChanged: boolean;
}

/** What may begin at once although nobody waits: as many as can be under way within the time that a turn lasts. */
const BURST = 128;

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
export function grantPermits(
  before: SlidingWindow | null,
  ask: PermitRequest,
  now: number,
): { readonly window: SlidingWindow; readonly answer: PermitGrant } {
  const known = usedUpIfUnknown(underLatestLimit(before, ask, now), ask.historyUnknownSince, now);
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
  const turns: Permits[] = [];
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
      isChanged: before !== null && !isSameLimit(before.limit, limit),
    },
  };
}

/** When the one comes that so many of its kind are before. */
export function waitUntil({ from, every, step }: Wait, index: number): number {
  return Math.ceil((from + index * every) / step) * step;
}
