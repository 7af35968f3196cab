import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { type Clock, FaultLog } from '../../common/index.js';
import {
  type Attempt,
  type AttemptBounds,
  type NextStep,
  type Deliverer,
  type RetryPolicy,
  emitAttempt,
  StandardRetryPolicy,
  type WebhookEvents,
} from '../../delivery/index.js';
import type { FanOut } from '../../dispatch/index.js';
import {
  type FormatRules,
  hasEnded,
  type Message,
  type Recipient,
  type WebhookFormats,
} from '../../message/index.js';
import { NOT_DUE, type DeliveryState } from '../delivery-states.js';
import { factsOf } from '../record/end.js';
import { fail } from '../record/fail.js';
import { hold, HOLDING } from '../record/hold.js';
import { type Advance, nextState } from '../record/next-state.js';
import { postpone, postponedUntil } from '../record/postpone.js';
import { record } from '../record/record.js';
import { lastFactsOf } from '../record/skip.js';
import { bringForward } from '../wait/bring-forward.js';
import type { BreakerSignal } from '../wait/circuit-breaker.js';
import type { JobRunner } from '../wait/host-scheduler.js';
import type { DeliveryJob } from '../store/delivery-job.js';
import { NEUTRAL, signalOf } from './attempt-signal.js';
import type { HeldLease } from '../store/held-leases.js';
import type { Outcome } from '../outcome.js';
import type { OutboxStore } from '../store/outbox-store.js';

/**
 * Milliseconds until deliveries of a host that is well again are brought forward a second time. Other processes may have had
 * attempts under way that fail after the first time.
 */
const LATE = 5000;
/** A share of the lease. An attempt does not begin with less time left: the lease might end before it is renewed. */
const LEAST_LEFT = 0.4;
/** Jobs of this process that wait for access tokens. */
const MOST_AWAITING = 1000;
/** Milliseconds after which a delivery is due again that did not wait in memory for its access token. */
const TOKEN_STEP = 5000;
const DEFAULT_POLICY = new StandardRetryPolicy();

/** Dependencies of an {@link AttemptRunner}. */
export interface AttemptDependencies {
  readonly deliverer: Deliverer;
  readonly policy: RetryPolicy;
  readonly formats: WebhookFormats;
  readonly events: WebhookEvents;
  readonly fanOut: FanOut;
  readonly clock: Clock;
}

/** Lets jobs in again that have not begun. `OutboxEngine` does, by its rate limiter. */
export interface Readmission {
  readmit(job: DeliveryJob): void;
}

/** Runs delivery attempts and records their outcomes. */
export class AttemptRunner implements JobRunner<DeliveryJob> {
  readonly #faults = new FaultLog();
  readonly #stop = new AbortController();
  /** Jobs whose attempts have not begun, because their leases would end too soon. */
  readonly #parked: DeliveryJob[] = [];
  /** Jobs whose attempts have not begun, because their access tokens have yet to come; by the end of the wait. */
  readonly #awaiting = new Set<Promise<void>>();
  /** The access tokens, or the failures, for which jobs have waited. */
  readonly #tokens = new WeakMap<DeliveryJob, Promise<string>>();
  /** The retry policies of formats that set delays of their own, by the list of those delays. */
  readonly #policies = new WeakMap<readonly number[], RetryPolicy>();

  constructor(
    private readonly dependencies: AttemptDependencies,
    private readonly store: OutboxStore,
    /** How long a lease lasts, in milliseconds. */
    private readonly lease: number,
    private readonly readmission: Readmission,
  ) {
    // Each host that is well again has a listener for five seconds; Node would report more than ten as a leak.
    setMaxListeners(0, this.#stop.signal);
  }

  get unwritten(): number {
    return this.store.unwritten;
  }

  /**
   * False while the lease of the job is about to end: another process may then claim the delivery before the attempt ends. The
   * next renewal tells. While the database does not answer, no lease is renewed.
   */
  #mayBegin({ heldLease }: DeliveryJob): boolean {
    return heldLease.leasedUntil - this.dependencies.clock.now() >= this.lease * LEAST_LEFT;
  }

  /** Lets those parked jobs begin whose leases are long enough again. Called when leases have been renewed. */
  leasesRenewed(): void {
    for (const job of this.#parked.splice(0)) {
      if (job.heldLease.isLost) continue;
      if (this.#mayBegin(job)) this.readmission.readmit(job);
      else this.#parked.push(job);
    }
  }

  /** Makes the next attempt of a job. */
  async run(job: DeliveryJob, isHostDown: () => boolean): Promise<BreakerSignal> {
    const { clock, deliverer, events } = this.dependencies;
    const { heldLease, message, recipient, requests, host } = job;
    if (heldLease.isLost) return NEUTRAL;
    if (!this.#mayBegin(job)) {
      this.#parked.push(job);
      return NEUTRAL;
    }
    if (job.startsBefore !== null && clock.now() >= job.startsBefore) {
      this.readmission.readmit(job);
      return NEUTRAL;
    }
    if (hasEnded(recipient, clock.now())) return this.#runRenewed(job, isHostDown);
    const token = this.#tokens.get(job);
    if (token === undefined && this.#awaitsToken(job)) return NEUTRAL;
    const number = requests + 1;
    const bounds = job.keyHash === null ? undefined : this.#boundsOf(heldLease);
    const delivery = { id: job.id, number, bounds, token };
    const attempt = await deliverer.attempt(delivery, message, recipient);
    const at = clock.now();
    const format = this.dependencies.formats.rulesOf(recipient);
    const signal = signalOf(attempt, format);
    const isOfHost = isHostDown() && (signal.kind === 'failure' || signal.kind === 'pause');
    const next = this.#nextState(job, format, attempt, at, isOfHost);
    const { disablesSubscriber } = next;
    const state = hold(job, next.state, at);
    const outcome = record(job, { state, attempt, at, disablesSubscriber });
    emitAttempt(events, { attempt, number, host: () => host }, nextStepOf(next.state));
    if (state.reason !== null && job.keyHash !== null) this.#emitLast(outcome, message);
    return signal;
  }

  /**
   * True when the attempt cannot begin before an access token has come. The job then waits without a slot, which others on
   * its host may need, and is let in again.
   */
  #awaitsToken(job: DeliveryJob): boolean {
    const token = this.dependencies.deliverer.awaitedToken(job.message, job.recipient);
    if (token === null) return false;
    if (this.#awaiting.size >= MOST_AWAITING) {
      token.catch(() => undefined);
      this.postpone(job, this.dependencies.clock.now() + TOKEN_STEP);
      return true;
    }
    const letIn = () => {
      this.#awaiting.delete(waiting);
      if (this.#stop.signal.aborted) return;
      this.#tokens.set(job, token);
      this.readmission.readmit(job);
    };
    const waiting: Promise<void> = token.then(letIn, letIn);
    this.#awaiting.add(waiting);
    return true;
  }

  /** Resolves when the jobs that wait for access tokens are let in: false when there were none. */
  async tokensCame(): Promise<boolean> {
    const waited = [...this.#awaiting];
    await Promise.all(waited);
    return waited.length > 0;
  }

  /**
   * For a subscriber whose `expiresAt` has passed: makes the attempt if the subscriber was renewed since it was read, and ends the
   * delivery if not.
   */
  async #runRenewed(job: DeliveryJob, isHostDown: () => boolean): Promise<BreakerSignal> {
    const { clock, events, fanOut } = this.dependencies;
    const { id, message, recipient } = job;
    let current: Recipient | null;
    try {
      current = await fanOut.finder().findCurrent(message, recipient.id);
    } catch (error) {
      this.#faults.report(`Put off, since its subscriber was not read: ${id}`, error, {
        deliveryId: id,
      });
      this.postpone(job, postponedUntil(message.time, clock.now()));
      return NEUTRAL;
    }
    const at = clock.now();
    if (current !== null && !hasEnded(current, at)) {
      return this.run({ ...job, recipient: current }, isHostDown);
    }
    const reason = current === null ? 'disabled' : 'expired';
    const state = fail(job.state, reason, job.state.attempts);
    const result = { state, attempt: null, at, disablesSubscriber: false };
    const outcome = record(job, result);
    events.emit('failed', () => ({ ...factsOf(outcome), attempt: null, reason }));
    return NEUTRAL;
  }

  /** Asks the retry policy. If a policy of the application throws, the default policy decides, so that the delivery goes on. */
  #nextState(
    { state, id, message }: DeliveryJob,
    format: FormatRules,
    attempt: Attempt,
    now: number,
    isHostDown: boolean,
  ): Advance {
    const own = this.#policyOf(format);
    const settings = own === null ? message.settings.retry : undefined;
    const rulesOf = (policy: RetryPolicy) => ({ policy, settings, format, isHostDown });
    const random = Math.random();
    try {
      return nextState(state, attempt, rulesOf(own ?? this.dependencies.policy), now, random);
    } catch (error) {
      const what = `The retry policy failed for ${id} (${message.event}), so the default one was asked`;
      this.#faults.report(what, error, {
        deliveryId: id,
        messageId: message.id,
        event: message.event,
      });
      return nextState(state, attempt, rulesOf(DEFAULT_POLICY), now, random);
    }
  }

  /** The policy of a format that sets delays of its own; null for other formats. */
  #policyOf({ retries }: FormatRules): RetryPolicy | null {
    if (retries === undefined) return null;
    let policy = this.#policies.get(retries);
    if (policy === undefined) {
      policy = new StandardRetryPolicy({ schedule: retries });
      this.#policies.set(retries, policy);
    }
    return policy;
  }

  /**
   * The attempt of an ordered delivery has to end before its lease does. Afterwards another process may repeat the delivery, or
   * begin with the next delivery of the key.
   */
  #boundsOf(heldLease: HeldLease): AttemptBounds {
    const { clock } = this.dependencies;
    return { timeLeft: () => (heldLease.isLost ? 0 : heldLease.leasedUntil - clock.now()) };
  }

  /** Writes the delivery of a job back to the database without an attempt: a worker claims it later. */
  postpone(job: DeliveryJob, until: number): void {
    postpone(job, until, this.dependencies.clock.now());
  }

  /** Makes the deliveries due that failed at a host while it was down, in whichever process they failed. */
  async recovered(host: string): Promise<void> {
    const since = this.dependencies.clock.now();
    await this.#bringForward(host, since);
    const { signal } = this.#stop;
    void wait(LATE, undefined, { ref: false, signal }).then(
      () => this.#bringForward(host, since),
      () => undefined,
    );
  }

  /** Cancels the second time that deliveries are brought forward. */
  stop(): void {
    this.#stop.abort();
  }

  /** @param begunBy the latest start of an attempt that failed because the host was down */
  async #bringForward(host: string, begunBy: number): Promise<void> {
    try {
      await bringForward(this.store, host, begunBy, this.dependencies.clock);
    } catch (error) {
      const what = `What failed at ${host} before it was well again waits for its time`;
      this.#faults.report(what, error, { host });
    }
  }

  #emitLast(outcome: Outcome, message: Message): void {
    const { reason, nextAt } = outcome.state;
    if (!HOLDING.has(reason)) return;
    const { events } = this.dependencies;
    const facts = () => lastFactsOf(outcome, message);
    if (nextAt === null) return events.emit('delivery-skipped', facts);
    const until = nextAt === NOT_DUE ? null : nextAt;
    events.emit('delivery-held', () => ({ ...facts(), until }));
  }
}

function nextStepOf({ status, nextAt, reason }: DeliveryState): NextStep {
  if (status === 'succeeded') return { ends: 'succeeded' };
  return nextAt === null ? { ends: 'failed', reason: reason! } : { ends: null, nextAt };
}
