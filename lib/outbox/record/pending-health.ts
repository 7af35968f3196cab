import { OWN_ERRORS } from '../../delivery/index.js';
import { ownerCode } from '../../delivery/attempt/attempt.js';
import {
  type FailureFigures,
  healthAfter,
  type HealthOutcome,
  type HealthRules,
  type HealthState,
  WELL,
} from '../../subscriber/index.js';
import type { Outcome } from '../outcome.js';

/** One thing to tell about a subscriber's health. */
export interface HealthReport {
  readonly kind: 'failing' | 'recovered' | 'disabled';
  readonly figures: FailureFigures;
}

/** The effect of gathered outcomes on a subscriber's health. */
export interface HealthStepOfMany {
  readonly after: HealthState;
  /** The reason why the subscriber is to be disabled, and its figures; null when it is not. */
  readonly disable: (FailureFigures & { readonly reason: 'gone' | 'failing' }) | null;
  /** Everything else to tell, in its order. */
  readonly reports: readonly HealthReport[];
}

/** The outcome of one attempt, and the answer or the error that figures show. */
type PendingOutcome = HealthOutcome & Pick<FailureFigures, 'status' | 'error'>;

/** Outcomes of subscribers that are not in their health yet. */
export class PendingHealth {
  readonly #subscribers = new Map<string, { outcomes: PendingOutcome[]; host: string }>();

  get size(): number {
    return this.#subscribers.size;
  }

  /** @returns what the outcome says about the health of its subscriber; null if it says nothing */
  add(outcome: Outcome): HealthOutcome['kind'] | null {
    const kind = kindOf(outcome);
    if (kind === null) return null;
    const { subscriberId, host, attempt, at, previousAttemptAt } = outcome;
    const status = attempt?.status ?? null;
    const error = attempt?.error ? ownerCode(attempt.error.code) : null;
    const began = attempt?.startedAt ?? at;
    this.#push(subscriberId, { kind, at: began, previousAttemptAt, status, error }, host);
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

  of(subscriber: string): { readonly outcomes: readonly PendingOutcome[]; readonly host: string } {
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

  #push(subscriber: string, outcome: PendingOutcome, host: string): void {
    const known = this.#subscribers.get(subscriber);
    if (known === undefined) {
      this.#subscribers.set(subscriber, { outcomes: [outcome], host });
      return;
    }
    known.host = host;
    // Failures before a success do not matter any more, except a 410, by which the endpoint said that it is gone.
    if (outcome.kind === 'succeeded' || outcome.kind === 'over') {
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
  outcomes: readonly PendingOutcome[],
  rules: HealthRules,
): HealthStepOfMany {
  let after = before;
  let reports: readonly HealthReport[] = [];
  for (const outcome of outcomes) {
    const { status, error } = outcome;
    const last = after;
    const { health, news, share } = healthAfter(after, outcome, rules);
    const { failingSince, failingMessages } = health.failingSince === null ? last : health;
    const figures: FailureFigures = {
      ...{ share, failingSince: failingSince!, failingMessages, status, error },
      ...{ disablesAt: null, reason: null },
    };
    if (news === 'disabled-gone' || news === 'disabled-failing') {
      const reason = news === 'disabled-gone' ? 'gone' : 'failing';
      // Of several levels that are passed at once, the greatest is told: here, that the subscriber is disabled.
      const others = reports.filter(({ kind }) => kind !== 'failing');
      return { after: WELL, disable: { ...figures, reason }, reports: others };
    }
    if (news === 'failing') {
      const disablesAt = Math.max(outcome.at, failingSince! + rules.disableAfter);
      const report = { ...figures, disablesAt };
      // Only the latest: of several levels that are passed at once, one is told.
      reports = [
        ...reports.filter(({ kind }) => kind !== 'failing'),
        { kind: 'failing', figures: report },
      ];
    }
    if (news === 'recovered') {
      reports = [{ kind: 'recovered', figures: { ...figures, status: null } }];
    }
    after = health;
  }
  return { after, disable: null, reports };
}

function kindOf({ attempt, state, disablesSubscriber }: Outcome): HealthOutcome['kind'] | null {
  if (attempt === null) {
    return state.reason === 'disabled' || state.reason === 'expired' ? 'over' : null;
  }
  if (disablesSubscriber) return 'gone';
  if (attempt.outcome === 'succeeded') return 'succeeded';
  return OWN_ERRORS.has(attempt.error?.code) ? null : 'failed';
}
