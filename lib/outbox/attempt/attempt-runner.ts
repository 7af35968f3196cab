import { setTimeout as wait } from 'node:timers/promises';
import { type Clock, FaultLog } from '../../common/index.js';
import {
  type Attempt,
  type AttemptBounds,
  type NextStep,
  type Deliverer,
  type FailureReason,
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
import {
  type Advance,
  withHold,
  nextState,
  NOT_DUE,
  type DeliveryState,
} from '../delivery-states.js';
import type { BreakerSignal } from '../wait/circuit-breaker.js';
import type { JobRunner } from '../wait/host-scheduler.js';
import type { DeliveryJob } from '../store/delivery-job.js';
import { NEUTRAL, signalOf } from './attempt-signal.js';
import { type AttemptResult, JobOutcome } from './job-outcome.js';
import type { ClaimedDelivery } from '../tables/delivery-table.js';
import type { HeldLease } from '../store/held-leases.js';
import type { Outcome } from '../outcome.js';
import { postponedUntil } from '../retry/postponed-until.js';
import type { OutboxStore } from '../store/outbox-store.js';

const FORWARD_AT_ONCE = 500;
/** Milliseconds after which attempts have ended that other processes had under way when a host was well again. */
const LATE = 5000;
/** Of a lease: with less left, it might end before the next renewal has been written. */
const LEAST_LEFT = 0.4;
const DEFAULT_POLICY = new StandardRetryPolicy();

/** Reasons for which a delivery may hold its key. With the others the subscriber is gone, or somebody has cancelled it. */
const HOLDING: ReadonlySet<FailureReason | null> = new Set(['exhausted', 'refused']);

/** Dependencies of an {@link AttemptRunner}. */
export interface AttemptDependencies {
  readonly deliverer: Deliverer;
  readonly policy: RetryPolicy;
  readonly formats: WebhookFormats;
  readonly events: WebhookEvents;
  readonly fanOut: FanOut;
  readonly clock: Clock;
}

/** A claimed delivery that can have no further attempt, because its message or its subscriber is gone. */
export interface AbandonedDelivery {
  readonly store: OutboxStore;
  readonly claimed: ClaimedDelivery;
  /** Empty when the message is gone. */
  readonly event: string;
  readonly heldLease: HeldLease;
}

/** Runs delivery attempts and records their outcomes. */
export class AttemptRunner implements JobRunner<DeliveryJob> {
  readonly #faults = new FaultLog();
  readonly #stop = new AbortController();
  /** Of formats, by their list of retries. */
  readonly #policies = new WeakMap<readonly number[], RetryPolicy>();

  constructor(
    private readonly dependencies: AttemptDependencies,
    private readonly stores: readonly OutboxStore[],
    /** Milliseconds. */
    private readonly lease: number,
  ) {}

  get unwritten(): number {
    return this.stores.reduce((sum, store) => sum + (this.#waits(store) ? 0 : store.unwritten), 0);
  }

  /** With several databases, the deliveries in one that is away wait for it, so that those in the others go on. */
  #waits(store: OutboxStore): boolean {
    return this.stores.length > 1 && store.recorder.isFailing && store.unwritten > 0;
  }

  /** Makes the next attempt of a job. */
  async run(job: DeliveryJob, isHostDown: () => boolean): Promise<BreakerSignal> {
    const { clock, deliverer, events } = this.dependencies;
    const { heldLease, message, recipient, requests, host } = job;
    if (heldLease.isLost) return NEUTRAL;
    if (this.#waits(job.store) || heldLease.leasedUntil - clock.now() < this.lease * LEAST_LEFT) {
      // Another process may have it by now, or before the attempt ends: the next renewal of the lease shows. A database
      // that is away renews none.
      heldLease.stale.push(() => job.gate.readmit(job));
      return NEUTRAL;
    }
    if (job.permitExpiresAt !== null && clock.now() >= job.permitExpiresAt) {
      job.gate.readmit(job);
      return NEUTRAL;
    }
    if (hasEnded(recipient, clock.now())) return this.#runRenewed(job, isHostDown);
    const number = requests + 1;
    const bounds = job.keyHash === null ? undefined : this.#boundsOf(heldLease);
    const attempt = await deliverer.attempt({ id: job.id, number, bounds }, message, recipient);
    const at = clock.now();
    const format = this.dependencies.formats.rulesOf(recipient);
    const signal = signalOf(attempt, format);
    const isOfHost = isHostDown() && (signal.kind === 'failure' || signal.kind === 'pause');
    const next = this.#nextState(job, format, attempt, at, isOfHost);
    const { disablesSubscriber } = next;
    const state = this.#afterLast(job, next.state, at);
    const outcome = this.#record(job, { state, attempt, at, permitAt: null, disablesSubscriber });
    emitAttempt(events, { attempt, number, host: () => host }, nextStepOf(next.state));
    if (state.reason !== null && job.keyHash !== null) this.#emitLast(outcome, message);
    return signal;
  }

  /** Makes the attempt if the subscriber was renewed since it was read, and ends the delivery if not. */
  async #runRenewed(job: DeliveryJob, isHostDown: () => boolean): Promise<BreakerSignal> {
    const { clock, events, fanOut, policy } = this.dependencies;
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
    const { state } = nextState(job.state, reason, { policy, settings: undefined }, at, 0);
    const result = { state, attempt: null, at, permitAt: null, disablesSubscriber: false };
    const outcome = this.#record(job, result);
    events.emit('failed', () => ({ ...factsOf(outcome), attempt: null, reason }));
    return NEUTRAL;
  }

  /** A policy of the application may throw; the delivery then goes on by the default one. */
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

  /** The policy of a format with retries of its own. */
  #policyOf({ retries }: FormatRules): RetryPolicy | null {
    if (retries === undefined) return null;
    let policy = this.#policies.get(retries);
    if (policy === undefined) {
      policy = new StandardRetryPolicy({ schedule: retries });
      this.#policies.set(retries, policy);
    }
    return policy;
  }

  /** An ordered delivery is over when its lease is: then another process may begin with it, or with the next one. */
  #boundsOf(heldLease: HeldLease): AttemptBounds {
    const { clock } = this.dependencies;
    return { timeLeft: () => (heldLease.isLost ? 0 : heldLease.leasedUntil - clock.now()) };
  }

  /**
   * Leaves a job for later without an attempt.
   *
   * @param permitAt when the rate limit is expected to let it through, if that is all it waits for
   */
  postpone(job: DeliveryJob, until: number, permitAt: number | null = null): void {
    if (job.heldLease.isLost) return;
    const at = this.dependencies.clock.now();
    const state = { ...job.state, nextAt: until };
    this.#record(job, { state, attempt: null, at, permitAt, disablesSubscriber: false });
  }

  /** Brings forward what has failed at a host that is well again, whichever process it failed in. */
  async recovered(host: string): Promise<void> {
    const since = this.dependencies.clock.now();
    await this.#bringForward(host, since);
    const { signal } = this.#stop;
    void wait(LATE, undefined, { ref: false, signal }).then(
      () => this.#bringForward(host, since),
      () => undefined,
    );
  }

  /** Ends what was put off for later. */
  stop(): void {
    this.#stop.abort();
  }

  /** @param begunBy the latest start of an attempt that failed because the host was down */
  async #bringForward(host: string, begunBy: number): Promise<void> {
    try {
      for (const { deliveries } of this.stores) {
        const now = this.dependencies.clock.now();
        const next = () => deliveries.bringForward(host, now, begunBy, FORWARD_AT_ONCE);
        while ((await next()) === FORWARD_AT_ONCE);
      }
    } catch (error) {
      this.#faults.report(
        `What failed at ${host} before it was well again waits for its time`,
        error,
        {
          host,
        },
      );
    }
  }

  /** Ends a delivery without an attempt. */
  end(abandoned: AbandonedDelivery, reason: 'disabled' | 'cancelled'): void {
    const { clock, policy, events } = this.dependencies;
    const rules = { policy, settings: undefined };
    const pending = pendingState(abandoned.claimed);
    const { state } = nextState(pending, reason, rules, clock.now(), Math.random());
    const outcome = this.#finish(abandoned, state);
    events.emit('failed', () => ({ ...factsOf(outcome), attempt: null, reason }));
  }

  /** Ends the hold of a delivery that has failed for good. @param message null when it is gone */
  skip(abandoned: AbandonedDelivery, message: Message | null): void {
    const reason = abandoned.claimed.reason!;
    const state: DeliveryState = { ...pendingState(abandoned.claimed), status: 'failed', reason };
    const outcome = this.#finish(abandoned, state);
    this.dependencies.events.emit('delivery-skipped', () => lastFactsOf(outcome, message));
  }

  #finish({ store, claimed, event, heldLease }: AbandonedDelivery, state: DeliveryState): Outcome {
    const { id, messageId, subscriberId, host, requests, attemptedAt, keyHash } = claimed;
    const outcome: Outcome = {
      ...{ id, messageId, subscriberId, event, host, state, requests, attemptedAt, keyHash },
      previousAttemptAt: attemptedAt,
      isNew: false,
      at: this.dependencies.clock.now(),
      attempt: null,
      permitAt: null,
      disablesSubscriber: false,
      get lease() {
        return heldLease.token;
      },
    };
    store.recorder.add(outcome);
    return outcome;
  }

  /** A delivery that has failed for good may hold its key. */
  #afterLast({ keyHash, recipient }: DeliveryJob, state: DeliveryState, at: number): DeliveryState {
    const holds = keyHash !== null && recipient.onExhausted === 'hold' && HOLDING.has(state.reason);
    return holds ? withHold(state, at, recipient.holdFor ?? null) : state;
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

  #record(job: DeliveryJob, result: AttemptResult): Outcome {
    const { store, first } = job;
    const outcome = new JobOutcome(job, result);
    store.recorder.add(outcome);
    if (first !== null && --first.open === 0) store.recorder.finish(first);
    return outcome;
  }
}

export function pendingState({ attempts, throttled }: ClaimedDelivery): DeliveryState {
  return { status: 'pending', attempts, throttled, nextAt: null, reason: null };
}

/** The facts of a delivery in the events that tell its end. */
function factsOf({ id, messageId, event, subscriberId, host }: Outcome) {
  return { deliveryId: id, messageId, event, subscriberId, host };
}

/** The facts of an ordered delivery that has failed for good. @param message null when it is gone */
function lastFactsOf(outcome: Outcome, message: Message | null) {
  const { key, sequence } = message ?? { key: null, sequence: null };
  return { ...factsOf(outcome), reason: outcome.state.reason!, key, sequence };
}

function nextStepOf({ status, nextAt, reason }: DeliveryState): NextStep {
  if (status === 'succeeded') return { ends: 'succeeded' };
  return nextAt === null ? { ends: 'failed', reason: reason! } : { ends: null, nextAt };
}
