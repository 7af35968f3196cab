import { Fifo } from '../../common/collections.js';
import type { DeliveryJob } from '../store/delivery-job.js';
import type { PermitGrant, PermitRequest, Permits } from './permits.js';

/** Milliseconds: no permit is granted that far ahead. */
const FARTHEST = 10_000;

/** Jobs in the order in which they get permits: first attempts before retries, and in both groups jobs that have waited first. */
type Classes = readonly [
  Fifo<DeliveryJob>,
  Fifo<DeliveryJob>,
  Fifo<DeliveryJob>,
  Fifo<DeliveryJob>,
];

/** The jobs of one subscriber with a rate limit, and the permits that this process has for them. */
export class RateLimitedQueue {
  /** Jobs without a permit. */
  #lacking: Classes = classes();
  /** Jobs for which permits were requested. */
  #requested: Classes = classes();
  /** Jobs with a permit, in the order in which they got one. The next permit that becomes valid goes to the first job. */
  readonly #ready = new Fifo<DeliveryJob>();
  #permits: Permits[] = [];
  #latest: DeliveryJob | undefined;

  get size(): number {
    return sizeOf(this.#lacking) + sizeOf(this.#requested) + this.#ready.length;
  }

  get isLacking(): boolean {
    return sizeOf(this.#lacking) > 0;
  }

  get isEmpty(): boolean {
    return this.size === 0 && this.#permits.length === 0;
  }

  /** The latest job, if there was one. */
  get any(): DeliveryJob | undefined {
    return this.#latest;
  }

  /** When the next job can begin; infinite when none can. */
  get nextPermitAt(): number {
    return this.#permits[0]?.from ?? Number.POSITIVE_INFINITY;
  }

  add(job: DeliveryJob): void {
    this.#latest = job;
    this.#lacking[classOf(job)].push(job);
  }

  /** The permits to request; null when the present ones suffice. */
  request(now: number): PermitRequest | null {
    this.#drop(now);
    this.#fill(this.#lacking);
    if (!this.isLacking) return null;
    const { recipient } = this.#latest!;
    [this.#requested, this.#lacking] = [this.#lacking, classes()];
    const [waited, fresh, waitedRetries, freshRetries] = this.#requested;
    return {
      limit: recipient.rateLimit!,
      since: (recipient as { readonly updatedAt?: Date }).updatedAt?.getTime() ?? 0,
      waited: waited.length,
      fresh: fresh.length,
      waitedRetries: waitedRetries.length,
      freshRetries: freshRetries.length,
    };
  }

  /** Gives the permits to jobs. @returns the jobs that got none */
  granted({ permits }: PermitGrant): {
    readonly firsts: readonly DeliveryJob[];
    readonly retries: readonly DeliveryJob[];
  } {
    this.#permits = [...this.#permits, ...permits].sort((one, other) => one.from - other.from);
    this.#fill(this.#requested);
    const [waited, fresh, waitedRetries, freshRetries] = this.#requested;
    return {
      firsts: [...waited.removeAll(), ...fresh.removeAll()],
      retries: [...waitedRetries.removeAll(), ...freshRetries.removeAll()],
    };
  }

  /** Makes the jobs of a failed request wait for the next one. */
  requestFailed(): void {
    for (const [index, jobs] of this.#requested.entries()) {
      for (const job of jobs.removeAll()) this.#lacking[index]!.push(job);
    }
  }

  /** The jobs whose permits are valid now. */
  due(now: number): DeliveryJob[] {
    this.#drop(now);
    const jobs: DeliveryJob[] = [];
    while (this.#permits.length > 0 && this.#permits[0]!.from <= now) {
      const { count, ...permit } = this.#permits[0]!;
      let left = count;
      for (; left > 0; left--) {
        const job = this.#ready.shift();
        if (job === undefined) break;
        job.permitExpiresAt = permit.until;
        jobs.push(job);
      }
      if (left > 0) {
        // Jobs that are added while they last may have them.
        this.#permits[0] = { ...permit, count: left };
        break;
      }
      this.#permits.shift();
    }
    return jobs;
  }

  /**
   * Drops permits that have expired. When the clock was put back, also permits that now lie too far ahead. Their jobs need new
   * permits.
   */
  #drop(now: number): void {
    const isGood = ({ from, until }: Permits) => until > now && from < now + FARTHEST;
    if (this.#permits.every(isGood)) return;
    this.#permits = this.#permits.filter(isGood);
    const jobs = this.#ready.removeAll();
    const kept = this.#permitCount;
    for (const [at, job] of jobs.entries()) {
      if (at < kept) this.#ready.push(job);
      else {
        job.hasWaited = true;
        this.#lacking[classOf(job)].push(job);
      }
    }
  }

  get #permitCount(): number {
    return this.#permits.reduce((sum, { count }) => sum + count, 0);
  }

  /** Gives permits that no job has to the first of these jobs. */
  #fill(from: Classes): void {
    let spare = this.#permitCount - this.#ready.length;
    for (const jobs of from) {
      for (; spare > 0 && jobs.length > 0; spare--) this.#ready.push(jobs.shift()!);
    }
  }
}

function classes(): Classes {
  return [new Fifo(), new Fifo(), new Fifo(), new Fifo()];
}

function classOf({ requests, hasWaited }: DeliveryJob): 0 | 1 | 2 | 3 {
  if (requests === 0) return hasWaited ? 0 : 1;
  return hasWaited ? 2 : 3;
}

function sizeOf(jobs: Classes): number {
  return jobs.reduce((sum, { length }) => sum + length, 0);
}
