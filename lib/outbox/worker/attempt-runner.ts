import type { Clock } from '../../common/index.js';
import {
  type Attempt,
  type AttemptErrorCode,
  type NextStep,
  type Deliverer,
  type RetryPolicy,
  emitAttempt,
  type WebhookEvents,
} from '../../delivery/index.js';
import { nextState, type DeliveryState } from '../model/delivery-state.js';
import type { BreakerSignal } from '../concurrency/circuit-breaker.js';
import type { DeliveryJob } from './delivery-job.js';
import type { Outcome } from '../model/outcome.js';

const NEUTRAL: BreakerSignal = { kind: 'neutral' };

/** What a courier works with. */
export interface CourierTools {
  readonly deliverer: Deliverer;
  readonly policy: RetryPolicy;
  readonly events: WebhookEvents;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Makes the attempts of jobs, and writes down what became of them. */
export class AttemptRunner {
  /** Puts a job back in line. */
  readonly #again: (job: DeliveryJob) => void;

  constructor(
    private readonly tools: CourierTools,
    again: (job: DeliveryJob) => void,
  ) {
    this.#again = again;
  }

  /** Makes the next attempt of a job. */
  async run(job: DeliveryJob): Promise<BreakerSignal> {
    const { clock, deliverer, policy, random } = this.tools;
    const { holding, message, recipient, state } = job;
    if (holding.isLost) return NEUTRAL;
    if (holding.leasedUntil <= clock.now()) {
      // Somebody else may have it by now; whoever renews the lease finds out.
      holding.stale.push(() => this.#again(job));
      return NEUTRAL;
    }
    if (job.permitExpiresAt !== null && clock.now() >= job.permitExpiresAt) {
      this.#again(job);
      return NEUTRAL;
    }
    const attempt = await deliverer.attempt(
      { id: job.id, number: job.requests + 1 },
      message,
      recipient,
    );
    const now = clock.now();
    const rules = { policy, settings: message.settings.retry };
    const step = nextState(state, attempt, rules, now, random());
    this.#settle(job, step.state, attempt, now, { disablesSubscriber: step.disablesSubscriber });
    this.#tell(job, step.state, attempt);
    return step.asksForBreather
      ? { kind: 'breather', retryAfter: attempt.retryAfter }
      : endpointOutcome(attempt);
  }

  /**
   * Leaves a job for later without an attempt.
   *
   * @param turnAt when its turn is expected, if that is what it waits for
   */
  postpone(job: DeliveryJob, until: number, turnAt: number | null = null): void {
    if (job.holding.isLost) return;
    const state = { ...job.state, nextAt: until };
    this.#settle(job, state, null, this.tools.clock.now(), { turnAt });
  }

  /** Ends a job without an attempt. */
  end(job: DeliveryJob, reason: 'disabled' | 'cancelled'): void {
    const { clock, policy, random, events } = this.tools;
    const now = clock.now();
    const { state } = nextState(job.state, reason, { policy, settings: undefined }, now, random());
    this.#settle(job, state, null, now);
    events.emit('failed', () => ({ ...factsOf(job), attempt: null, reason }));
  }

  #settle(
    { id, store, message, recipient, host, requests, attemptedAt, holding, first }: DeliveryJob,
    state: DeliveryState,
    attempt: Attempt | null,
    at: number,
    {
      disablesSubscriber = false,
      turnAt = null,
    }: { readonly disablesSubscriber?: boolean; readonly turnAt?: number | null } = {},
  ): void {
    const outcome: Outcome = {
      id,
      messageId: message.id,
      subscriberId: recipient.id,
      event: message.event,
      host,
      state,
      requests: requests + (attempt === null ? 0 : 1),
      previousAttemptAt: attemptedAt,
      attemptedAt: attempt?.startedAt ?? attemptedAt,
      // When it is written: a claim of this very process may have renewed it by then.
      get lease() {
        return holding.token;
      },
      isNew: first !== null,
      at,
      attempt,
      turnAt,
      disablesSubscriber,
    };
    store.recorder.add(outcome);
    if (first !== null && --first.open === 0) store.recorder.finish(first);
  }

  #tell(job: DeliveryJob, state: DeliveryState, attempt: Attempt): void {
    const { requests, host } = job;
    emitAttempt(
      this.tools.events,
      { attempt, number: requests + 1, host: () => host },
      sequelOf(state),
    );
  }
}

function sequelOf({ status, nextAt, reason }: DeliveryState): NextStep {
  if (status === 'succeeded') return { ends: 'succeeded' };
  return nextAt === null ? { ends: 'failed', reason: reason! } : { ends: null, nextAt };
}

function factsOf({ id, message, recipient, host }: DeliveryJob) {
  return {
    deliveryId: id,
    messageId: message.id,
    event: message.event,
    subscriberId: recipient.id,
    host,
  };
}

/** What says nothing of the endpoint. */
const OURS: ReadonlySet<AttemptErrorCode> = new Set([
  'recipient-refused',
  'unencodable',
  'internal',
  'proxy',
]);

/** A host that answers lives, whatever one of its paths says about the request. */
function endpointOutcome({ status, error }: Attempt): BreakerSignal {
  if (status !== null) return { kind: 'success' };
  const code = error?.code;
  return { kind: code !== undefined && OURS.has(code) ? 'neutral' : 'failure' };
}
