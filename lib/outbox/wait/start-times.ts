import type { RateLimit } from '../../message/index.js';

/** The state of a subscriber's rate limit, in milliseconds since the Unix epoch. It is the same for all processes. */
export interface Pace {
  /** When the next attempt may begin. */
  readonly nextAt: number;
  /** Deliveries that wait for the limit are due before this time. */
  readonly queuedUntil: number;
}

/** The deliveries of one subscriber that a process wants to attempt. */
export interface StartRequest {
  readonly limit: RateLimit;
  /** Deliveries that have a row: they have waited. */
  readonly waited: number;
  /** Deliveries without a row, which come after those that have waited. */
  readonly fresh: number;
}

/** The answer to a {@link StartRequest}. */
export interface StartTimes {
  /** When the first of the deliveries may begin: those that have waited, then fresh ones. */
  readonly starts: readonly number[];
  /** When the others are due again. They have no time yet. */
  readonly dues: readonly number[];
}

/** Milliseconds: a delivery whose time is nearer stays in memory until then. */
const AHEAD = 3000;
/** A waiting delivery is due this many milliseconds before its turn is expected, so that it is in memory in time. */
const LEAD = 1000;
/** Waiting deliveries are due together, at the full second, so that one claim finds many of them. */
const GRID = 1000;
/** Milliseconds after which a waiting delivery asks again at the latest: by then it follows a limit that has changed. */
const LONGEST_WAIT = 60_000;
/** Milliseconds by which the clocks of workers may differ. */
const SKEW = 2000;
/** Milliseconds by which an attempt may be late at least. */
const LEAST_LATENESS = 100;

/** The milliseconds between two attempts. */
export function intervalOf({ max, per }: RateLimit): number {
  return per / max;
}

/**
 * The time before which an attempt has to begin. A later one would come too close to the next one, and gets another time.
 *
 * @param at when it may begin
 */
export function startsBefore(at: number, limit: RateLimit): number {
  return at + Math.max(LEAST_LATENESS, intervalOf(limit) / 2);
}

/**
 * Gives deliveries the times at which their attempts may begin: each one interval after the one before, over all processes. Pure.
 *
 * Only what begins within seconds gets such a time, which is kept in memory: a process that dies takes few of them along. What
 * is left waits as a row, and asks again when it is due. Fresh deliveries wait behind rows that wait.
 *
 * @param before null when no pace is known
 */
export function giveTimes(
  before: Pace | null,
  { limit, waited, fresh }: StartRequest,
  now: number,
): { readonly pace: Pace; readonly times: StartTimes } {
  const interval = intervalOf(limit);
  const horizon = now + AHEAD;
  // Times further ahead are of a limit that has changed, or of a clock that was put back.
  const next = Math.min(before?.nextAt ?? 0, horizon + SKEW + interval);
  // Where no attempt has a time ahead, what has waited is over, or asks just now.
  const queued = next > now ? Math.min(before?.queuedUntil ?? 0, now + LONGEST_WAIT) : 0;

  const from = Math.max(now, next);
  const room = from > horizon ? 0 : Math.floor((horizon - from) / interval) + 1;
  const isQueue = queued > horizon;
  const count = Math.min(room, isQueue ? waited : waited + fresh);
  const starts = Array.from({ length: count }, (_, at) => Math.ceil(from + at * interval));
  const nextAt = count === 0 ? next : Math.ceil(from + count * interval);

  const behind = Math.max(queued, nextAt);
  const left = waited + fresh - count;
  const turn = (at: number) => Math.min(behind + at * interval, now + LONGEST_WAIT);
  const dues = Array.from({ length: left }, (_, at) =>
    Math.max(now + GRID, Math.floor((turn(at) - LEAD) / GRID) * GRID),
  );
  const queuedUntil = left === 0 ? queued : Math.ceil(turn(left));
  return { pace: { nextAt, queuedUntil }, times: { starts, dues } };
}
