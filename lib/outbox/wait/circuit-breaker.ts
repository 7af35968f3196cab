import { parseRetryAfter } from '../../delivery/index.js';
import type { EndpointRules } from '../outbox-options.js';

/**
 * The state of one endpoint's circuit breaker, as this process knows it.
 *
 * - `flowing`: requests may go
 * - `paused`: the endpoint asked for a pause
 * - `broken`: the endpoint failed too often in a row; the breaker is open
 *
 * In the last two states no request goes before `until`. After it, one probe goes.
 */
export interface BreakerState {
  readonly mode: 'flowing' | 'paused' | 'broken';
  /** When the next probe may go, in milliseconds since the Unix epoch; null while flowing. */
  readonly until: number | null;
  /** When the next probe may go although the last probe is still in flight; null when no probe is in flight. */
  readonly probeUntil: number | null;
  /** Consecutive failures. */
  readonly failures: number;
  /** Changes whenever requests are stopped or let go again: results of requests from before say little about the endpoint now. */
  readonly epoch: number;
}

/**
 * The verdict of a request on its endpoint. `success`: it has answered. `pause`: the endpoint asks for one. `neutral`: nothing, because the request was
 * not made, or failed for a reason of our own.
 */
export type BreakerSignal =
  | { readonly kind: 'success' | 'failure' | 'neutral' }
  | { readonly kind: 'pause'; readonly retryAfter: string | null };

/** The answer to a request that wants to go. */
export interface Admission {
  readonly state: BreakerState;
  /** The epoch that the request belongs to, for {@link afterSignal}. Null: it may not go before {@link admissibleAt}. */
  readonly epoch: number | null;
}

/** An endpoint of which nothing is known. */
export const UNKNOWN_ENDPOINT: BreakerState = {
  mode: 'flowing',
  until: null,
  probeUntil: null,
  failures: 0,
  epoch: 0,
};

/** Asks whether a request may go now. The state of a refusal is the same object. */
export function admit(state: BreakerState, rules: EndpointRules, now: number): Admission {
  if (state.mode === 'flowing') return { state, epoch: state.epoch };
  if (now < admissibleAt(state, now)) return { state, epoch: null };
  return { state: { ...state, probeUntil: now + rules.probeInterval }, epoch: state.epoch };
}

/** The earliest time at which a request may go, as far as is known now. */
export function admissibleAt(state: BreakerState, now: number): number {
  return state.mode === 'flowing' ? now : Math.max(state.until ?? now, state.probeUntil ?? 0);
}

/**
 * The state after the signal of a request. Pure, like {@link admit}.
 *
 * @param epoch the one that {@link admit} gave for this request
 * @param random a random number from 0 (included) to 1 (not included)
 */
export function afterSignal(
  state: BreakerState,
  epoch: number,
  signal: BreakerSignal,
  rules: EndpointRules,
  now: number,
  random: number,
): BreakerState {
  const isCurrent = epoch === state.epoch;
  switch (signal.kind) {
    case 'success':
      // The endpoint works, whichever request it was; but a pause that it asked for meanwhile stands.
      return isCurrent || state.mode === 'broken' ? opened(state) : state;
    case 'pause':
      return paused(state, isCurrent, signal.retryAfter, rules, now, random);
    case 'failure':
      return isCurrent ? failed(state, rules, now, random) : state;
    case 'neutral':
      // The probe has no result: the next request may be one.
      return isCurrent && state.probeUntil !== null ? { ...state, probeUntil: null } : state;
  }
}

function opened(state: BreakerState): BreakerState {
  if (state.mode === 'flowing' && state.failures === 0) return state;
  const epoch = state.mode === 'flowing' ? state.epoch : state.epoch + 1;
  return { ...UNKNOWN_ENDPOINT, epoch };
}

function failed(
  state: BreakerState,
  rules: EndpointRules,
  now: number,
  random: number,
): BreakerState {
  const failures = state.failures + 1;
  if (state.mode === 'flowing' && failures < rules.failures) return { ...state, failures };
  return closed(state, 'broken', failures, now + lengthened(rules.probeInterval, rules, random));
}

function paused(
  state: BreakerState,
  isCurrent: boolean,
  retryAfter: string | null,
  rules: EndpointRules,
  now: number,
  random: number,
): BreakerState {
  const asked = retryAfter === null ? null : parseRetryAfter(retryAfter, now);
  const time = Math.max(rules.probeInterval, Math.min(asked ?? 0, rules.maxPause));
  const until = now + lengthened(time, rules, random);
  if (isCurrent) return closed(state, 'paused', state.failures, until);
  if (state.mode === 'flowing') return state;
  // This request was in flight when the pause began. It extends the pause if its answer has `Retry-After`.
  return asked === null || until <= state.until! ? state : { ...state, until };
}

function closed(
  state: BreakerState,
  mode: 'paused' | 'broken',
  failures: number,
  until: number,
): BreakerState {
  return { mode, until, probeUntil: null, failures, epoch: state.epoch + 1 };
}

function lengthened(time: number, { jitter }: EndpointRules, random: number): number {
  return Math.round(time * (1 + jitter * random));
}
