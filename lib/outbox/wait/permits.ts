import type { RateLimit } from '../../message/index.js';
import {
  AHEAD,
  isSameLimit,
  LASTS,
  type SlidingWindow,
  SKEW,
  SPAN,
  toStep,
  underLatestLimit,
  usedUpIfPutBack,
  countsFrom,
  firstFree,
  room,
  trimmed,
} from './sliding-window.js';

/** A request for permits for one subscriber. */
export interface PermitRequest {
  readonly limit: RateLimit;
  /** Since when the limit holds, as far as this process knows. */
  readonly since: number;
  /** First attempts that have waited for a permit already. */
  readonly waited: number;
  /** New first attempts, which come after attempts that have waited. */
  readonly fresh: number;
  /** Retries, by the same distinction. */
  readonly waitedRetries: number;
  readonly freshRetries: number;
}

/** Permits of one step: its attempts may begin from `from` on, and before `until`. */
export interface Permits {
  readonly from: number;
  readonly until: number;
  readonly count: number;
}

/**
 * The times for attempts without a permit: the first at `from`, each next one `every` milliseconds later, at the
 * start of a step.
 */
export interface Wait {
  readonly from: number;
  readonly every: number;
  readonly step: number;
}

/** The grant to a process. First attempts get permits before retries. */
export interface PermitGrant {
  readonly permits: readonly Permits[];
  readonly firsts: Wait;
  readonly retries: Wait;
  /** True when the limit has just changed: waiting deliveries may wait too long, or not long enough. */
  readonly isChanged: boolean;
}

/** The requests of a process, by the id of the subscriber. */
export type PermitRequests = ReadonlyMap<string, PermitRequest>;
/** The grants to a process, by the id of the subscriber. */
export type PermitGrants = ReadonlyMap<string, PermitGrant>;

/** Attempts that may begin at once when none waits: as many as can be in flight while a permit lasts. */
const BURST = 128;

/**
 * Grants permits. In any `per` milliseconds, from any moment on, no more than `max` attempts keep to theirs. Pure.
 *
 * Time is cut into steps of a 25th of `per`. A permit is valid for its step and the one after it, so a window of `per`
 * touches permits of 27 steps at most: no 27 steps in a row ever get more than `max` permits together. The difference of
 * the two is the loss in rate: 2 of 27, 7.4 %.
 *
 * @param before null when no window is known
 */
export function grantPermits(
  before: SlidingWindow | null,
  ask: PermitRequest,
  now: number,
): { readonly window: SlidingWindow; readonly answer: PermitGrant } {
  const known = usedUpIfPutBack(underLatestLimit(before, ask, now), now);
  const { limit } = known;
  const step = toStep(limit);
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
  const permits: Permits[] = [];
  for (let at = current; at <= last && waited + fresh + again + freshAgain > 0; at++) {
    const moment = at - oldest;
    const free = Math.min(most - counts[moment]!, room(counts, moment, limit.max));
    const count = Math.min(free, waited + fresh + again + freshAgain);
    if (count <= 0) continue;
    counts[moment]! += count;
    permits.push({ from: at * step, until: (at + LASTS) * step, count });
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
      permits,
      firsts: waitFirsts,
      retries: waitRetries,
      isChanged: before !== null && !isSameLimit(before.limit, limit),
    },
  };
}

/** The time for the attempt that has `index` others of its kind before it. */
export function waitUntil({ from, every, step }: Wait, index: number): number {
  return Math.ceil((from + index * every) / step) * step;
}
