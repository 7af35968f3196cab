import {
  admissibleAt,
  admit,
  type BreakerSignal,
  type EndpointRules,
  type BreakerState,
  afterSignal,
  UNKNOWN_ENDPOINT,
} from './circuit-breaker.js';
import { Fifo } from '../../common/fifo.js';
import { AdaptiveLimit } from './adaptive-limit.js';
import { mostForRetries } from './slot-pool.js';

/** One host: what waits for it, what is under way, and what is known of its health. */
export class HostQueue<Job> {
  readonly firsts: WaitingJobs<Job> = new WaitingJobs();
  readonly retries: WaitingJobs<Job> = new WaitingJobs();
  readonly #limit: AdaptiveLimit;
  #state: BreakerState = UNKNOWN_ENDPOINT;
  #running = 0;
  #retriesRunning = 0;

  /** @param perHost requests in flight at most */
  constructor(
    readonly host: string,
    perHost: number,
    private readonly rules: EndpointRules,
  ) {
    this.#limit = new AdaptiveLimit(perHost);
  }

  /** What is known of its health. */
  get state(): BreakerState {
    return this.#state;
  }

  get mode(): BreakerState['mode'] {
    return this.#state.mode;
  }

  get waiting(): number {
    return this.firsts.length + this.retries.length;
  }

  /** Whether nothing is worth being remembered of it. */
  get isForgettable(): boolean {
    const { mode, failures } = this.#state;
    return mode === 'flowing' && failures === 0 && this.#running + this.waiting === 0;
  }

  queue(isRetry: boolean): WaitingJobs<Job> {
    return isRetry ? this.retries : this.firsts;
  }

  /** Whether something waits that a slot of this host is free for. */
  canStart(isRetry: boolean): boolean {
    const { current } = this.#limit;
    if (this.#running >= current || this.queue(isRetry).length === 0) return false;
    return !isRetry || this.#retriesRunning < mostForRetries(current);
  }

  /** @returns the ticket to hand in with the outcome; null when the endpoint takes nothing now */
  admit(now: number): number | null {
    if (this.#state.mode === 'flowing') return this.#state.epoch;
    const { state, ticket } = admit(this.#state, this.rules, now);
    this.#state = state;
    return ticket;
  }

  started(isRetry: boolean): void {
    this.#running++;
    if (isRetry) this.#retriesRunning++;
  }

  /** @returns whether more or less is known of the endpoint's health than before */
  ended(
    isRetry: boolean,
    milliseconds: number,
    ticket: number,
    outcome: BreakerSignal,
    now: number,
    random: number,
  ): boolean {
    if (outcome.kind !== 'neutral') {
      const wasFull = this.#running >= this.#limit.current;
      this.#limit.learn(milliseconds, outcome.kind === 'success', wasFull);
    }
    this.#running--;
    if (isRetry) this.#retriesRunning--;
    const before = this.#state;
    this.#state = afterSignal(before, ticket, outcome, this.rules, now, random);
    return before !== this.#state;
  }

  /** Until when it takes nothing at all; null when it does. While a probe is under way, what comes waits for its answer. */
  closedUntil(now: number): number | null {
    const { mode, probeUntil } = this.#state;
    if (mode === 'flowing' || (probeUntil !== null && probeUntil > now)) return null;
    const until = admissibleAt(this.#state, now);
    return until > now ? until : null;
  }

  /** How many retries may be added. */
  room(now: number): number {
    if (this.#state.mode !== 'flowing') {
      return admissibleAt(this.#state, now) <= now && this.waiting === 0 ? 1 : 0;
    }
    const room =
      mostForRetries(this.#limit.current) * 2 - this.retries.length - this.#retriesRunning;
    if (room <= 0) this.retries.wasFull = true;
    return Math.max(0, room);
  }

  takeWaiting(): Job[] {
    return [...this.firsts.takeAll(), ...this.retries.takeAll()];
  }
}

/** Jobs in line, and since when each of them waits. */
export class WaitingJobs<Job> {
  /** Whether the lane is in the list of those that have something to do. */
  isListed = false;
  /** Whether somebody was refused for want of room. */
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

  /** Milliseconds that the first in line waits already. */
  waited(now: number): number {
    return now - (this.#since.first ?? now);
  }

  takeAll(): Job[] {
    this.#since.takeAll();
    return this.#jobs.takeAll();
  }
}
