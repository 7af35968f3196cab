import type { EndpointRules } from '../outbox-options.js';
import {
  admissibleAt,
  admit,
  type BreakerSignal,
  type BreakerState,
  afterSignal,
  UNKNOWN_ENDPOINT,
} from './circuit-breaker.js';
import { Fifo } from '../../common/collections.js';
import { mostForRetries } from './slot-pool.js';

/** Stands for every host. */
export const EVERY_HOST = '*';

/** One host: its waiting jobs, the number of running ones, and its circuit breaker. */
export class HostQueue<Job> {
  readonly firsts: WaitingJobs<Job> = new WaitingJobs();
  readonly retries: WaitingJobs<Job> = new WaitingJobs();
  #state: BreakerState = UNKNOWN_ENDPOINT;
  #running = 0;
  #retriesRunning = 0;

  /** @param perHost requests in flight at most */
  constructor(
    readonly host: string,
    private readonly perHost: number,
    private readonly rules: EndpointRules,
  ) {}

  /** The state of its circuit breaker. */
  get state(): BreakerState {
    return this.#state;
  }

  get mode(): BreakerState['mode'] {
    return this.#state.mode;
  }

  get waiting(): number {
    return this.firsts.length + this.retries.length;
  }

  /** True when there is nothing to remember about the host. */
  get isForgettable(): boolean {
    const { mode, failures } = this.#state;
    return mode === 'flowing' && failures === 0 && this.#running + this.waiting === 0;
  }

  jobs(isRetry: boolean): WaitingJobs<Job> {
    return isRetry ? this.retries : this.firsts;
  }

  /** True when a job waits for which this host has a free slot. */
  canStart(isRetry: boolean): boolean {
    if (this.#running >= this.perHost || this.jobs(isRetry).length === 0) return false;
    return !isRetry || this.#retriesRunning < mostForRetries(this.perHost);
  }

  /** @returns the breaker's epoch, which goes into {@link ended}; null when the host takes nothing now */
  admit(now: number): number | null {
    if (this.#state.mode === 'flowing') return this.#state.epoch;
    const { state, epoch } = admit(this.#state, this.rules, now);
    this.#state = state;
    return epoch;
  }

  started(isRetry: boolean): void {
    this.#running++;
    if (isRetry) this.#retriesRunning++;
  }

  /** @returns whether the state of the circuit breaker has changed */
  ended(
    isRetry: boolean,
    epoch: number,
    signal: BreakerSignal,
    now: number,
    random: number,
  ): boolean {
    this.#running--;
    if (isRetry) this.#retriesRunning--;
    const before = this.#state;
    this.#state = afterSignal(before, epoch, signal, this.rules, now, random);
    return before !== this.#state;
  }

  /** Until when it takes nothing; null when it does. While a probe is in flight, jobs wait for its result. */
  closedUntil(now: number): number | null {
    const { mode, probeUntil } = this.#state;
    if (mode === 'flowing' || (probeUntil !== null && probeUntil > now)) return null;
    const until = admissibleAt(this.#state, now);
    return until > now ? until : null;
  }

  /** The number of retries that may be added. */
  room(now: number): number {
    if (this.#state.mode !== 'flowing') {
      return admissibleAt(this.#state, now) <= now && this.waiting === 0 ? 1 : 0;
    }
    const room = mostForRetries(this.perHost) * 2 - this.retries.length - this.#retriesRunning;
    if (room <= 0) this.retries.wasFull = true;
    return Math.max(0, room);
  }

  removeWaiting(): Job[] {
    return [...this.firsts.removeAll(), ...this.retries.removeAll()];
  }
}

/** Waiting jobs, with the time since when each one waits. */
export class WaitingJobs<Job> {
  /** True when the host's queue is in the scheduler's list of those with jobs that can start. */
  isListed = false;
  /** True when a claim was refused because there was no room. */
  wasFull = false;
  readonly #jobs = new Fifo<Job>();
  readonly #since = new Fifo<number>();

  get length(): number {
    return this.#jobs.length;
  }

  push(job: Job, now: number): void {
    this.#jobs.push(job);
    this.#since.push(now);
  }

  shift(): Job | undefined {
    this.#since.shift();
    return this.#jobs.shift();
  }

  /** Milliseconds that the first job has waited. */
  waited(now: number): number {
    return now - (this.#since.first ?? now);
  }

  removeAll(): Job[] {
    this.#since.removeAll();
    return this.#jobs.removeAll();
  }
}
