import { type Clock, FaultLog } from '../../common/index.js';
import { postpone } from '../record/postpone.js';
import { expedite } from './expedite.js';
import type { HostScheduler } from './host-scheduler.js';
import type { WakeSignal } from '../../common/waiting.js';
import type { DeliveryJob } from '../store/delivery-job.js';
import type { DatabaseRateLimiter } from './database-rate-limiter.js';
import { RateLimitedQueue } from './rate-limited-queue.js';
import { type PermitGrant, type PermitRequest, type Wait, waitUntil } from './permits.js';

/** Milliseconds for which requests gather before they go to the limiter. */
const GATHER_FOR = 10;
/** A postponed delivery is due this many milliseconds before its permit is expected, so that it is in memory in time. */
const LEAD = 1500;
/** Postponed deliveries are due together, at the full second. */
const GRID = 1000;
const LONGEST_SLEEP = 250;
const LONGEST_BACKOFF = 5000;
const EXPEDITED_FOR = 10_000;

/**
 * Lets jobs through at the rate that their subscribers allow. Asks the limiter for permits in batches, a little ahead. A
 * job that gets none is postponed in the database, and does not delay the others.
 */
export class RateLimitGate {
  readonly #faults = new FaultLog();
  readonly #queues = new Map<string, RateLimitedQueue>();
  readonly #expedited = new Map<string, number>();
  readonly #expediting = new Map<string, NodeJS.Timeout>();
  #gathering: NodeJS.Timeout | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isRequesting = false;
  #isStopped = false;
  #failures = 0;

  constructor(
    private readonly limiter: DatabaseRateLimiter,
    private readonly scheduler: HostScheduler<DeliveryJob>,
    private readonly claims: WakeSignal,
    private readonly clock: Clock,
  ) {}

  add(job: DeliveryJob): void {
    const { rateLimit } = job.recipient;
    if (rateLimit === undefined || rateLimit === null) {
      // The limit was removed while the job waited for it. Other deliveries of the subscriber still wait.
      if (job.hasWaited) void this.#expedite(job);
      return this.scheduler.add(job);
    }
    if (this.#isStopped) return;
    let queue = this.#queues.get(job.recipient.id);
    if (queue === undefined) this.#queues.set(job.recipient.id, (queue = new RateLimitedQueue()));
    queue.add(job);
    this.#gather(GATHER_FOR);
  }

  /**
   * Takes a job once more that has not begun, because its permit or its lease has run out. A job whose permit has run out gets the
   * next permit before jobs that have not waited yet.
   */
  readmit(job: DeliveryJob): void {
    job.hasWaited ||= job.permitExpiresAt !== null;
    this.add(job);
  }

  /** From now on no job of a subscriber with a rate limit passes. */
  stop(): void {
    this.#isStopped = true;
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const timer of this.#expediting.values()) clearTimeout(timer);
    this.#queues.clear();
  }

  #gather(milliseconds: number): void {
    if (this.#isStopped || this.#isRequesting) return;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null;
      void this.#request();
    }, milliseconds);
  }

  async #request(): Promise<void> {
    const requests = new Map<string, PermitRequest>();
    for (const [id, queue] of this.#queues) {
      const request = queue.request(this.clock.now());
      if (request !== null) requests.set(id, request);
    }
    if (requests.size > 0) {
      this.#isRequesting = true;
      try {
        const grants = await this.limiter.grant(requests, this.clock.now());
        this.#failures = 0;
        if (!this.#isStopped) {
          for (const [id, grant] of grants) this.#granted(id, grant);
        }
      } catch (error) {
        // The database may be closed by then.
        if (this.#isStopped) return;
        this.#failures++;
        for (const id of requests.keys()) this.#queues.get(id)?.requestFailed();
        this.#faults.report('Asking for permits failed and will be tried again soon', error);
      }
      this.#isRequesting = false;
    }
    this.#tick();
    const isLeft = [...this.#queues.values()].some(({ isLacking }) => isLacking);
    if (isLeft) this.#gather(Math.min(LONGEST_BACKOFF, GATHER_FOR * 2 ** this.#failures));
  }

  #granted(id: string, grant: PermitGrant): void {
    const queue = this.#queues.get(id);
    if (queue === undefined) return;
    const { firsts, retries } = queue.granted(grant);
    this.#postpone(firsts, grant.firsts);
    this.#postpone(retries, grant.retries);
    const some = firsts[0] ?? retries[0] ?? queue.any;
    if (grant.isChanged && some !== undefined) void this.#expedite(some);
  }

  #postpone(jobs: readonly DeliveryJob[], wait: Wait): void {
    for (const [index, job] of jobs.entries()) {
      const permitAt = waitUntil(wait, index);
      const until = Math.floor((permitAt - LEAD) / GRID) * GRID;
      postpone(job, until, this.clock.now(), permitAt);
    }
  }

  /** Lets jobs through whose permits are valid now. */
  #tick(): void {
    const now = this.clock.now();
    let next = Number.POSITIVE_INFINITY;
    let isLacking = false;
    for (const [id, queue] of this.#queues) {
      for (const job of queue.due(now)) this.scheduler.add(job);
      if (queue.isEmpty) this.#queues.delete(id);
      isLacking ||= queue.isLacking;
      next = Math.min(next, queue.nextPermitAt);
    }
    if (isLacking) this.#gather(GATHER_FOR);
    if (next === Number.POSITIVE_INFINITY || this.#isStopped) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, Math.min(next - now, LONGEST_SLEEP)));
  }

  /** Makes the postponed deliveries of a subscriber due, because its rate limit has changed. */
  async #expedite(job: DeliveryJob): Promise<void> {
    const { store, recipient } = job;
    const now = this.clock.now();
    const last = this.#expedited.get(recipient.id);
    if (last !== undefined && now - last < EXPEDITED_FOR) return this.#expediteLater(job);
    for (const [id, at] of this.#expedited)
      if (now - at >= EXPEDITED_FOR) this.#expedited.delete(id);
    this.#expedited.set(recipient.id, now);
    try {
      await expedite(store, recipient.id, now, () => this.#isStopped);
      this.claims.wake();
    } catch (error) {
      this.#expedited.delete(recipient.id);
      this.#faults.report(`Expediting the deliveries of ${recipient.id} failed`, error);
    }
  }

  /** The limit may have changed again since. */
  #expediteLater(job: DeliveryJob): void {
    const { id } = job.recipient;
    if (this.#expediting.has(id) || this.#isStopped) return;
    const expedite = () => {
      this.#expediting.delete(id);
      this.#expedited.delete(id);
      void this.#expedite(job);
    };
    this.#expediting.set(id, setTimeout(expedite, EXPEDITED_FOR).unref());
  }
}
