import { OWN_ERRORS } from '../../delivery/index.js';
import {
  healthAfter,
  type HealthOutcome,
  type HealthRules,
  type HealthState,
  WELL,
} from '../../subscriber/index.js';
import type { Outcome } from '../outcome.js';

/** The effect of gathered outcomes on a subscriber's health. */
export interface HealthStepOfMany {
  readonly after: HealthState;
  /** The health for the application's event; includes the causes when `after` is reset. */
  readonly reported: HealthState;
  /** Why the subscriber is to be disabled, or null. */
  readonly disable: 'gone' | 'failing' | null;
  /** True when the subscriber has begun to fail. */
  readonly isNews: boolean;
}

/** Outcomes of subscribers that are not in their health yet. */
export class PendingHealth {
  readonly #subscribers = new Map<string, { outcomes: HealthOutcome[]; host: string }>();

  get size(): number {
    return this.#subscribers.size;
  }

  /** @returns what the outcome says about the health of its subscriber; null if it says nothing */
  add(outcome: Outcome): HealthOutcome['kind'] | null {
    const kind = kindOf(outcome);
    if (kind === null) return null;
    const { subscriberId, host, attempt, at, previousAttemptAt } = outcome;
    this.#push(subscriberId, { kind, at: attempt?.startedAt ?? at, previousAttemptAt }, host);
    return kind;
  }

  subscribers(limit: number): string[] {
    const ids: string[] = [];
    for (const id of this.#subscribers.keys()) {
      if (ids.length === limit) break;
      ids.push(id);
    }
    return ids;
  }

  of(subscriber: string): { readonly outcomes: readonly HealthOutcome[]; readonly host: string } {
    return this.#subscribers.get(subscriber)!;
  }

  remove(subscriber: string): void {
    this.#subscribers.delete(subscriber);
  }

  /** Adds the outcomes that came later. */
  append(later: PendingHealth): void {
    for (const [subscriber, { outcomes, host }] of later.#subscribers) {
      for (const outcome of outcomes) this.#push(subscriber, outcome, host);
    }
  }

  #push(subscriber: string, outcome: HealthOutcome, host: string): void {
    const known = this.#subscribers.get(subscriber);
    if (known === undefined) {
      this.#subscribers.set(subscriber, { outcomes: [outcome], host });
      return;
    }
    known.host = host;
    // Failures before a success do not matter any more, except a 410, by which the endpoint said that it is gone.
    if (outcome.kind === 'succeeded') {
      known.outcomes = known.outcomes.filter(({ kind }) => kind === 'gone');
    }
    known.outcomes.push(outcome);
  }
}

/**
 * Once a subscriber is to be disabled, its health is reset: attempts that are still in flight say nothing about an endpoint
 * that is enabled again later, perhaps at another URL.
 */
export function healthStep(
  before: HealthState,
  outcomes: readonly HealthOutcome[],
  rules: HealthRules,
): HealthStepOfMany {
  let after = before;
  let isNews = false;
  for (const outcome of outcomes) {
    const { health, news } = healthAfter(after, outcome, rules);
    if (news === 'disabled-gone' || news === 'disabled-failing') {
      const disable = news === 'disabled-gone' ? 'gone' : 'failing';
      return { after: WELL, reported: health, disable, isNews: false };
    }
    if (news === 'failing') isNews = true;
    after = health;
  }
  return { after, reported: after, disable: null, isNews };
}

function kindOf({ attempt, state, disablesSubscriber }: Outcome): HealthOutcome['kind'] | null {
  // Another caller has disabled the subscriber, or it has ended; as with a success, the earlier failures no longer count.
  if (attempt === null) {
    return state.reason === 'disabled' || state.reason === 'expired' ? 'succeeded' : null;
  }
  if (disablesSubscriber) return 'gone';
  if (attempt.outcome === 'succeeded') return 'succeeded';
  return OWN_ERRORS.has(attempt.error?.code) ? null : 'failed';
}
