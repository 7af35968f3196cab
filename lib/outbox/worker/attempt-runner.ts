import type { Clock } from '../../common/index.js';
import {
  type Attempt,
  type AttemptErrorCode,
  type AttemptSequel,
  type Deliverer,
  type RetryPolicy,
  tellAttempt,
  type WebhookEvents,
} from '../../delivery/index.js';
import { advance, type DeliveryState } from '../model/delivery-state.js';
import type { EndpointOutcome } from '../concurrency/circuit-breaker.js';
import type { OutboxJob } from './delivery-job.js';
import type { Outcome } from '../model/outcome.js';

const NEUTRAL: EndpointOutcome = { kind: 'neutral' };

/** What a courier works with. */
export interface CourierTools {
  readonly deliverer: Deliverer;
  readonly policy: RetryPolicy;
  readonly events: WebhookEvents;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Makes the attempts of jobs, and writes down what became of them. */
export class Courier {
  readonly #tools: CourierTools;
  /** Puts a job back in line. */
  readonly #again: (job: OutboxJob) => void;

  constructor(tools: CourierTools, again: (job: OutboxJob) => void) {
    this.#tools = tools;
    this.#again = again;
  }

  /** Makes the next attempt of a job. */
  async run(job: OutboxJob): Promise<EndpointOutcome> {
    const { clock, deliverer, policy, random } = this.#tools;
    const { holding, message, recipient, state } = job;
    if (holding.isLost) return NEUTRAL;
    if (holding.leasedUntil <= clock.now()) {
      // Somebody else may have it by now; whoever renews the lease finds out.
      holding.stale.push(() => this.#again(job));
      return NEUTRAL;
    }
    if (job.startBy !== null && clock.now() >= job.startBy) {
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
    const step = advance(state, attempt, rules, now, random());
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
  park(job: OutboxJob, until: number, turnAt: number | null = null): void {
    if (job.holding.isLost) return;
    const state = { ...job.state, nextAt: until };
    this.#settle(job, state, null, this.#tools.clock.now(), { turnAt });
  }

  /** Ends a job without an attempt. */
  end(job: OutboxJob, reason: 'disabled' | 'cancelled'): void {
    const { clock, policy, random, events } = this.#tools;
    const now = clock.now();
    const { state } = advance(job.state, reason, { policy, settings: undefined }, now, random());
    this.#settle(job, state, null, now);
    events.emit('failed', () => ({ ...factsOf(job), attempt: null, reason }));
  }

  #settle(
    { id, shard, message, recipient, host, requests, attemptedAt, holding, first }: OutboxJob,
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
        return holding.lease;
      },
      isNew: first !== null,
      at,
      attempt,
      turnAt,
      disablesSubscriber,
    };
    shard.recorder.add(outcome);
    if (first !== null && --first.open === 0) shard.recorder.finish(first);
  }

  #tell(job: OutboxJob, state: DeliveryState, attempt: Attempt): void {
    const { requests, host } = job;
    tellAttempt(
      this.#tools.events,
      { attempt, number: requests + 1, host: () => host },
      sequelOf(state),
    );
  }
}

function sequelOf({ status, nextAt, reason }: DeliveryState): AttemptSequel {
  if (status === 'succeeded') return { ends: 'succeeded' };
  return nextAt === null ? { ends: 'failed', reason: reason! } : { ends: null, nextAt };
}

function factsOf({ id, message, recipient, host }: OutboxJob) {
  return {
    delivery: id,
    message: message.id,
    event: message.event,
    subscriber: recipient.id,
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
function endpointOutcome({ status, error }: Attempt): EndpointOutcome {
  if (status !== null) return { kind: 'success' };
  const code = error?.code;
  return { kind: code !== undefined && OURS.has(code) ? 'neutral' : 'failure' };
}
