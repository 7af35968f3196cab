import type { Clock } from '../../common/index.js';
import type { EndpointRules } from '../outbox-options.js';
import type { BreakerSignal } from './circuit-breaker.js';
import { Fifo } from '../../common/collections.js';
import { EVERY_HOST, HostQueue } from './host-queue.js';
import type { WakeSignal } from '../../common/waiting.js';
import { mostForRetries, type Slot, SlotPool } from './slot-pool.js';

/** Something to be sent to a host. */
export interface HostJob {
  readonly host: string;
  /** First attempts never wait behind retries. */
  readonly isRetry: boolean;
}

/** Runs the jobs of a {@link HostScheduler}. In the outbox this is the `AttemptRunner`. */
export interface JobRunner<Job extends HostJob> {
  /**
   * Jobs that ran and whose outcomes are not written yet, except those of a database that is away beside others. They
   * count against the window: a crash would repeat them.
   */
  readonly unwritten: number;
  /**
   * Makes the request; never rejects. The signal `neutral` says nothing about the endpoint.
   *
   * @param isHostDown true while the host takes nothing but probes, and for a request from before it was well again
   */
  run(job: Job, isHostDown: () => boolean): Promise<BreakerSignal>;
  /** Leaves a job for later: its host takes nothing before `until`, or is too far behind. */
  postpone(job: Job, until: number): void;
  /** Called when a host takes requests again; never rejects. */
  recovered(host: string): Promise<void>;
}

/** The deliveries of this process. */
export interface SchedulerActivity {
  /** Requests in flight. */
  readonly inFlight: number;
  /** Deliveries that wait for a slot. */
  readonly waiting: number;
  /** Hosts that asked for a pause. */
  readonly paused: number;
  /** Hosts whose circuit breaker is open. */
  readonly broken: number;
}

/** The state of a host whose requests fail, as this process knows it. */
export interface EndpointHealth {
  readonly host: string;
  /** `paused`: the host asked for a pause. `broken`: it failed too often, and its circuit breaker is open. */
  readonly mode: 'flowing' | 'paused' | 'broken';
  /** When the next probe may go, in milliseconds since the Unix epoch; null while flowing. */
  readonly until: number | null;
  /** Consecutive failures. */
  readonly failures: number;
}

/** Limits of requests in flight. */
export interface ConcurrencyLimits {
  readonly window: number;
  readonly perHost: number;
  readonly endpoints: EndpointRules;
}

/** Milliseconds: a host whose first job has waited longer is too far behind to keep more of its jobs in memory. */
const LONGEST_WAIT = 5000;
const MOST_WAITING = 100_000;
/** Two sets of outcomes: one is being written, and the next is complete. More would be sent again after a crash. */
const MOST_UNWRITTEN = 500;
const MOST_QUEUES = 1000;
/**
 * Milliseconds after which a delivery to a host whose breaker is open is due again, unless the breaker closes earlier. A
 * process that finds the host well then claims it, whatever the breakers of other processes say.
 */
const BREAKER_STEP = 5000;
/** Milliseconds after which a delivery to a host that an operator has paused is due again. */
const PAUSE_STEP = 30_000;

/**
 * Starts jobs within the limits of concurrency. Each host has a queue with slots and a circuit breaker of its own, so that
 * a slow host does not delay the others. Queues with jobs that can start are served in rotation.
 *
 * A job is waiting (in its host's queue), running, or postponed: left for later in the database, because the host is
 * paused, its breaker is open, or its queue is too long.
 */
export class HostScheduler<Job extends HostJob> {
  readonly #queues = new Map<string, HostQueue<Job>>();
  readonly #slots: SlotPool;
  readonly #firsts = new Fifo<HostQueue<Job>>();
  readonly #retries = new Fifo<HostQueue<Job>>();
  readonly #idle: (() => void)[] = [];
  #paused: ReadonlySet<string> = new Set();
  #waiting = 0;
  #timer: NodeJS.Timeout | null = null;
  #isPumping = false;

  constructor(
    private readonly limits: ConcurrencyLimits,
    private readonly runner: JobRunner<Job>,
    private readonly claims: WakeSignal,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {
    this.#slots = new SlotPool(limits.window);
  }

  get running(): number {
    return this.#slots.inUse;
  }

  get waiting(): number {
    return this.#waiting;
  }

  activity(): SchedulerActivity {
    let [paused, broken] = [0, 0];
    for (const { mode } of this.#queues.values()) {
      if (mode === 'paused') paused++;
      else if (mode === 'broken') broken++;
    }
    return { inFlight: this.running, waiting: this.waiting, paused, broken };
  }

  add(job: Job): void {
    const queue = this.#queueOf(job.host);
    const now = this.clock.now();
    const until = this.#closedUntil(queue, now);
    if (until !== null) return this.runner.postpone(job, until);
    const jobs = queue.jobs(job.isRetry);
    const since = performance.now();
    if (jobs.waited(since) > LONGEST_WAIT || this.#waiting >= MOST_WAITING) {
      return this.runner.postpone(job, now);
    }
    jobs.push(job, since);
    this.#waiting++;
    this.#enlist(queue);
    this.#pump();
  }

  /** Sets the hosts that get nothing, `*` for all. Waiting jobs of these are postponed. */
  pause(hosts: ReadonlySet<string>): void {
    this.#paused = hosts;
    const now = this.clock.now();
    for (const queue of this.#queues.values()) this.#postponeIfClosed(queue, now);
  }

  /** The hosts whose latest requests failed. */
  endpoints(): readonly EndpointHealth[] {
    return [...this.#queues.values()].flatMap(({ host, state: { mode, until, failures } }) =>
      mode === 'flowing' && failures === 0 ? [] : [{ host, mode, until, failures }],
    );
  }

  /** Returns the number of retries of a host that may be added now. */
  room(host: string): number {
    return (
      this.#queues.get(host)?.room(this.clock.now()) ?? mostForRetries(this.limits.perHost) * 2
    );
  }

  /** Removes all jobs that have not started. */
  removeWaiting(): Job[] {
    const jobs = [...this.#queues.values()].flatMap((queue) => queue.removeWaiting());
    this.#waiting = 0;
    return jobs;
  }

  /** Resolves when no job runs or waits. */
  async idle(): Promise<void> {
    if (this.running + this.#waiting > 0)
      await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /**
   * Starts the jobs that can start now: outcomes have been written, or those of a database that is away are no longer waited
   * for.
   */
  goOn(): void {
    if (this.#waiting > 0) this.#pump();
  }

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#startNext(this.#firsts, false)) continue;
    while (this.#startNext(this.#retries, true)) continue;
    this.#isPumping = false;
    if (this.#firsts.length + this.#retries.length > 0) this.#pumpLater();
  }

  /** @returns false when no queue of the list can start a job */
  #startNext(list: Fifo<HostQueue<Job>>, isRetry: boolean): boolean {
    if (list.length === 0) return false;
    const { unwritten } = this.runner;
    if (unwritten >= MOST_UNWRITTEN || this.running + unwritten >= this.limits.window) return false;
    const slot = this.#slots.acquire(isRetry, performance.now());
    if (slot === null) return false;
    for (let queue = list.shift(); queue !== undefined; queue = list.shift()) {
      const jobs = queue.jobs(isRetry);
      jobs.isListed = false;
      if (!queue.canStart(isRetry)) continue;
      const epoch = queue.admit(this.clock.now());
      if (epoch === null) continue;
      this.#waiting--;
      this.#start(queue, jobs.shift()!, slot, epoch);
      this.#enlist(queue);
      return true;
    }
    this.#slots.release(slot);
    return false;
  }

  #start(queue: HostQueue<Job>, job: Job, slot: Slot, epoch: number): void {
    queue.started(job.isRetry);
    if (queue.mode !== 'flowing') this.#pumpForProbe(queue);
    void this.runner
      .run(job, () => queue.mode !== 'flowing' || queue.state.epoch !== epoch)
      .then((signal) => {
        this.#slots.release(slot);
        const now = this.clock.now();
        const { mode } = queue;
        if (queue.ended(job.isRetry, epoch, signal, now, this.random())) {
          this.#postponeIfClosed(queue, now);
          if (mode !== 'flowing' && queue.mode === 'flowing') {
            this.claims.wake();
            void this.runner.recovered(queue.host).then(() => this.claims.wake());
          }
        }
        this.#enlist(queue);
        this.#wakeIfRoom(queue);
        this.#forget(queue);
        this.#pump();
        if (this.running + this.#waiting === 0)
          for (const resolve of this.#idle.splice(0)) resolve();
      });
  }

  /** Lets another probe go if the last probe has had no result for a while, so that the jobs of the host do not wait for it. */
  #pumpForProbe(queue: HostQueue<Job>): void {
    setTimeout(() => {
      this.#enlist(queue);
      this.#pump();
    }, this.limits.endpoints.probeInterval).unref();
  }

  /** Postpones the waiting jobs of a host that takes none now. */
  #postponeIfClosed(queue: HostQueue<Job>, now: number): void {
    const until = this.#closedUntil(queue, now);
    if (until === null) return;
    const jobs = queue.removeWaiting();
    this.#waiting -= jobs.length;
    for (const job of jobs) this.runner.postpone(job, until);
  }

  #closedUntil(queue: HostQueue<Job>, now: number): number | null {
    const isPaused = this.#paused.has(queue.host) || this.#paused.has(EVERY_HOST);
    if (isPaused) return now + PAUSE_STEP;
    const until = queue.closedUntil(now);
    return until === null || queue.mode !== 'broken' ? until : Math.min(until, now + BREAKER_STEP);
  }

  #enlist(queue: HostQueue<Job>): void {
    if (!queue.firsts.isListed && queue.canStart(false)) {
      queue.firsts.isListed = true;
      this.#firsts.push(queue);
    }
    if (!queue.retries.isListed && queue.canStart(true)) {
      queue.retries.isListed = true;
      this.#retries.push(queue);
    }
  }

  #wakeIfRoom({ retries }: HostQueue<Job>): void {
    if (!retries.wasFull || retries.length > 0) return;
    retries.wasFull = false;
    this.claims.wake();
  }

  /** Starts more jobs as time passes: slots get old, and count less, and the event loop may be less busy. */
  #pumpLater(): void {
    if (this.#timer !== null) return;
    const wait = this.#slots.untilNext(performance.now());
    if (wait === null) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#pump();
      },
      Math.max(1, wait),
    );
  }

  #queueOf(host: string): HostQueue<Job> {
    let queue = this.#queues.get(host);
    if (queue === undefined) {
      queue = new HostQueue<Job>(host, this.limits.perHost, this.limits.endpoints);
      this.#queues.set(host, queue);
    }
    return queue;
  }

  /** Forgets a host without jobs and failures, so that memory does not grow with every host that was ever used. */
  #forget(queue: HostQueue<Job>): void {
    if (this.#queues.size > MOST_QUEUES && queue.isForgettable) this.#queues.delete(queue.host);
  }
}
