import { Logger } from '@nestjs/common';
import { type Clock, errorText } from '../../common/index.js';
import type { DeliveryJob } from './delivery-job.js';
import type { RateLimiter } from '../rate-limit/rate-limiter.js';
import { RateLimitedQueue } from './rate-limited-queue.js';
import { type PermitRequest, type Wait, waitUntil } from '../rate-limit/permits.js';

/** Milliseconds that are gathered for before the limiter is asked. */
const GATHER_FOR = 10;
/** Milliseconds ahead of its turn at which a delivery that waits comes back, so that it is at hand when it is due. */
const LEAD = 1500;
/** Deliveries that wait come back together, at the full second. */
const GRID = 1000;
const LONGEST_SLEEP = 250;
const LONGEST_BACKOFF = 5000;
const HURRIED_FOR = 10_000;
const HURRY_AT_ONCE = 500;

/** What a {@link RateLimitGate} works with. */
export interface RateGateTools {
  readonly limiter: RateLimiter;
  readonly clock: Clock;
  /** Where those go whose turn has come, and those without a limit. */
  readonly open: (job: DeliveryJob) => void;
  /** Leaves a job for later. */
  readonly park: (job: DeliveryJob, until: number, turnAt: number) => void;
  /** Something was made due. */
  readonly wake: () => void;
}

/**
 * Lets jobs pass at the rate that their subscribers allow. Turns are asked for in sets, a little ahead; what gets none is
 * left for later in the database, and holds up nobody.
 */
export class RateLimitGate {
  readonly #logger = new Logger('Thorn');
  readonly #queues = new Map<string, RateLimitedQueue>();
  readonly #hurried = new Map<string, number>();
  #gathering: NodeJS.Timeout | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isAsking = false;
  #isStopped = false;
  #failures = 0;

  constructor(private readonly tools: RateGateTools) {}

  /** Jobs that wait in memory for a turn that comes soon. */
  get waiting(): number {
    let sum = 0;
    for (const { size } of this.#queues.values()) sum += size;
    return sum;
  }

  add(job: DeliveryJob): void {
    const { rateLimit } = job.recipient;
    if (rateLimit === undefined || rateLimit === null) {
      // It waited for a limit that there is no longer: so do others.
      if (job.hasWaited) void this.#expedite(job);
      return this.tools.open(job);
    }
    if (this.#isStopped) return;
    let queue = this.#queues.get(job.recipient.id);
    if (queue === undefined) this.#queues.set(job.recipient.id, (queue = new RateLimitedQueue()));
    queue.add(job);
    this.#gather(GATHER_FOR);
  }

  /** Gives nothing a turn any more. */
  stop(): void {
    this.#isStopped = true;
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#queues.clear();
  }

  #gather(milliseconds: number): void {
    if (this.#isStopped || this.#isAsking) return;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null;
      void this.#ask();
    }, milliseconds);
  }

  async #ask(): Promise<void> {
    const { clock, limiter } = this.tools;
    const asks = new Map<string, PermitRequest>();
    for (const [id, queue] of this.#queues) {
      const ask = queue.ask(clock.now());
      if (ask !== null) asks.set(id, ask);
    }
    if (asks.size > 0) {
      this.#isAsking = true;
      try {
        const answers = await limiter.take(asks, clock.now());
        this.#failures = 0;
        if (!this.#isStopped) {
          for (const [id, answer] of answers) this.#answered(id, answer);
        }
      } catch (error) {
        this.#failures++;
        for (const id of asks.keys()) this.#queues.get(id)?.unanswered();
        this.#logger.error(`Asking for turns failed, asked again soon: ${errorText(error)}`);
      }
      this.#isAsking = false;
    }
    this.#tick();
    const isLeft = [...this.#queues.values()].some(({ isLacking }) => isLacking);
    if (isLeft) this.#gather(Math.min(LONGEST_BACKOFF, GATHER_FOR * 2 ** this.#failures));
  }

  #answered(id: string, answer: Parameters<RateLimitedQueue['answered']>[0]): void {
    const queue = this.#queues.get(id);
    if (queue === undefined) return;
    const { firsts, retries } = queue.answered(answer);
    this.#park(firsts, answer.firsts);
    this.#park(retries, answer.retries);
    const some = firsts[0] ?? retries[0] ?? queue.any;
    if (answer.isChanged && some !== undefined) void this.#expedite(some);
  }

  #park(jobs: readonly DeliveryJob[], wait: Wait): void {
    for (const [index, job] of jobs.entries()) {
      const turnAt = waitUntil(wait, index);
      this.tools.park(job, Math.floor((turnAt - LEAD) / GRID) * GRID, turnAt);
    }
  }

  /** Lets those through whose turn it is. */
  #tick(): void {
    const now = this.tools.clock.now();
    let next = Number.POSITIVE_INFINITY;
    let isLacking = false;
    for (const [id, queue] of this.#queues) {
      for (const job of queue.due(now)) this.tools.open(job);
      if (queue.isEmpty) this.#queues.delete(id);
      isLacking ||= queue.isLacking;
      next = Math.min(next, queue.nextTurn);
    }
    if (isLacking) this.#gather(GATHER_FOR);
    if (next === Number.POSITIVE_INFINITY || this.#isStopped) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, Math.min(next - now, LONGEST_SLEEP)));
  }

  /** What waits under a limit that is no longer the same looks again. */
  async #expedite({ store, recipient }: DeliveryJob): Promise<void> {
    const now = this.tools.clock.now();
    if (now - (this.#hurried.get(recipient.id) ?? Number.NEGATIVE_INFINITY) < HURRIED_FOR) return;
    for (const [id, at] of this.#hurried) if (now - at >= HURRIED_FOR) this.#hurried.delete(id);
    this.#hurried.set(recipient.id, now);
    try {
      let count: number;
      do count = await store.deliveries.expedite(recipient.id, now, HURRY_AT_ONCE);
      while (count === HURRY_AT_ONCE && !this.#isStopped);
      this.tools.wake();
    } catch (error) {
      this.#hurried.delete(recipient.id);
      this.#logger.error(`Hurrying ${recipient.id} on failed: ${errorText(error)}`);
    }
  }
}
