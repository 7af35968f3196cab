import { type Clock, FaultLog } from '../../common/index.js';
import { postpone } from '../record/postpone.js';
import type { DeliveryJob } from '../store/delivery-job.js';
import type { HostScheduler } from './host-scheduler.js';
import type { PaceTable } from './pace-table.js';
import { startsBefore, type StartTimes } from './start-times.js';

/** Milliseconds for which jobs gather before they ask together. */
const GATHER_FOR = 10;
/** Milliseconds after which the clock is looked at again, which may have been set. */
const LONGEST_SLEEP = 250;
const LONGEST_BACKOFF = 5000;

/** The jobs of one subscriber that have no time yet. */
interface AskingJobs {
  /** Jobs of deliveries that have a row, and jobs that ask once more. */
  readonly waited: DeliveryJob[];
  readonly fresh: DeliveryJob[];
}

/**
 * Lets jobs through at the rate that their subscribers allow. Asks for the times of all of them in sets. A job that gets none
 * is postponed in the database, and does not delay the others.
 */
export class RateLimiter {
  readonly #faults = new FaultLog();
  #asking = new Map<string, AskingJobs>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #gathering: NodeJS.Timeout | null = null;
  #isAsking = false;
  #isStopped = false;
  #failures = 0;

  constructor(
    private readonly paces: PaceTable,
    private readonly scheduler: HostScheduler<DeliveryJob>,
    private readonly clock: Clock,
  ) {}

  add(job: DeliveryJob): void {
    if (!isLimited(job)) return this.scheduler.add(job);
    const { waited, fresh } = this.#askingOf(job);
    (job.heldMessage === null ? waited : fresh).push(job);
    this.#gather(GATHER_FOR);
  }

  /** Takes a job once more whose attempt has not begun, because its time has passed or its lease was too short. */
  readmit(job: DeliveryJob): void {
    if (!isLimited(job)) return this.scheduler.add(job);
    this.#askingOf(job).waited.push(job);
    this.#gather(GATHER_FOR);
  }

  /** From now on no job of a subscriber with a rate limit passes. */
  stop(): void {
    this.#isStopped = true;
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#asking.clear();
  }

  #askingOf({ recipient: { id } }: DeliveryJob): AskingJobs {
    let jobs = this.#asking.get(id);
    if (jobs === undefined) this.#asking.set(id, (jobs = { waited: [], fresh: [] }));
    return jobs;
  }

  #gather(milliseconds: number): void {
    if (this.#isStopped || this.#isAsking) return;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null;
      void this.#ask();
    }, milliseconds);
  }

  async #ask(): Promise<void> {
    const asked = this.#asking;
    this.#asking = new Map();
    this.#isAsking = true;
    try {
      const times = await this.paces.giveTimes(requestsOf(asked), this.clock.now());
      this.#failures = 0;
      if (this.#isStopped) return;
      for (const [id, { waited, fresh }] of asked)
        this.#apply([...waited, ...fresh], times.get(id)!);
    } catch (error) {
      // The database may be closed by then.
      if (this.#isStopped) return;
      this.#failures++;
      for (const { waited, fresh } of asked.values()) {
        for (const job of waited) this.#askingOf(job).waited.push(job);
        for (const job of fresh) this.#askingOf(job).fresh.push(job);
      }
      this.#faults.report('Advancing rate limits failed and will be tried again soon', error);
    }
    this.#isAsking = false;
    const wait = Math.min(LONGEST_BACKOFF, GATHER_FOR * 2 ** this.#failures);
    if (this.#asking.size > 0) this.#gather(wait);
  }

  #apply(jobs: readonly DeliveryJob[], { starts, dues }: StartTimes): void {
    for (const [index, job] of jobs.entries()) {
      const at = starts[index];
      if (at === undefined) postpone(job, dues[index - starts.length]!, this.clock.now());
      else this.#start(job, at);
    }
  }

  /** Passes a job on at its time. */
  #start(job: DeliveryJob, at: number): void {
    const left = at - this.clock.now();
    if (left <= 0) {
      job.startsBefore = startsBefore(at, job.recipient.rateLimit!);
      return this.scheduler.add(job);
    }
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        this.#start(job, at);
      },
      Math.min(left, LONGEST_SLEEP),
    );
    this.#timers.add(timer);
  }
}

function isLimited({ recipient: { rateLimit } }: DeliveryJob): boolean {
  return rateLimit !== undefined && rateLimit !== null;
}

function requestsOf(asking: ReadonlyMap<string, AskingJobs>) {
  return new Map(
    [...asking].map(([id, { waited, fresh }]) => {
      const limit = (fresh.at(-1) ?? waited.at(-1))!.recipient.rateLimit!;
      return [id, { limit, waited: waited.length, fresh: fresh.length }] as const;
    }),
  );
}
