import { Fifo } from '../../common/fifo.js';
import type { DeliveryJob } from './delivery-job.js';
import type { PermitGrant, PermitRequest, Permits } from '../rate-limit/permits.js';

/** Milliseconds: no turn is given that far ahead. */
const FARTHEST = 10_000;

/** Jobs by who goes first: first attempts before others, of each those that have waited. */
type Classes = readonly [
  Fifo<DeliveryJob>,
  Fifo<DeliveryJob>,
  Fifo<DeliveryJob>,
  Fifo<DeliveryJob>,
];

/** Jobs of one subscriber with a limit, and the turns that this process has for them. */
export class RateLimitedQueue {
  /** Without a turn. */
  #lacking: Classes = classes();
  /** Asked for. */
  #asked: Classes = classes();
  /** With a turn, in the order in which they got one; which one it is is decided when it comes. */
  readonly #ready = new Fifo<DeliveryJob>();
  #turns: Permits[] = [];
  #latest: DeliveryJob | undefined;

  get size(): number {
    return sizeOf(this.#lacking) + sizeOf(this.#asked) + this.#ready.length;
  }

  get isLacking(): boolean {
    return sizeOf(this.#lacking) > 0;
  }

  get isEmpty(): boolean {
    return this.size === 0 && this.#turns.length === 0;
  }

  /** Some job of it. */
  get any(): DeliveryJob | undefined {
    return this.#latest;
  }

  /** When something can begin; infinite when nothing can. */
  get nextTurn(): number {
    return this.#turns[0]?.from ?? Number.POSITIVE_INFINITY;
  }

  add(job: DeliveryJob): void {
    this.#latest = job;
    this.#lacking[classOf(job)].push(job);
  }

  /** What to ask for; null when the turns that are there suffice. */
  ask(now: number): PermitRequest | null {
    this.#drop(now);
    this.#fill(this.#lacking);
    if (!this.isLacking) return null;
    const { recipient } = this.#latest!;
    [this.#asked, this.#lacking] = [this.#lacking, classes()];
    const [waited, fresh, waitedRetries, freshRetries] = this.#asked;
    return {
      limit: recipient.rateLimit!,
      since: (recipient as { readonly updatedAt?: Date }).updatedAt?.getTime() ?? 0,
      waited: waited.length,
      fresh: fresh.length,
      waitedRetries: waitedRetries.length,
      freshRetries: freshRetries.length,
      historyUnknownSince: null,
    };
  }

  /** Takes the turns. @returns the jobs that got none */
  answered({ turns }: PermitGrant): {
    readonly firsts: readonly DeliveryJob[];
    readonly retries: readonly DeliveryJob[];
  } {
    this.#turns = [...this.#turns, ...turns].sort((one, other) => one.from - other.from);
    this.#fill(this.#asked);
    const [waited, fresh, waitedRetries, freshRetries] = this.#asked;
    return {
      firsts: [...waited.takeAll(), ...fresh.takeAll()],
      retries: [...waitedRetries.takeAll(), ...freshRetries.takeAll()],
    };
  }

  /** What was asked for is asked for again. */
  unanswered(): void {
    for (const [index, jobs] of this.#asked.entries()) {
      for (const job of jobs.takeAll()) this.#lacking[index]!.push(job);
    }
  }

  /** The jobs whose turn it is. */
  due(now: number): DeliveryJob[] {
    this.#drop(now);
    const jobs: DeliveryJob[] = [];
    while (this.#turns.length > 0 && this.#turns[0]!.from <= now) {
      const { count, ...turn } = this.#turns[0]!;
      let left = count;
      for (; left > 0; left--) {
        const job = this.#ready.shift();
        if (job === undefined) break;
        job.permitExpiresAt = turn.until;
        jobs.push(job);
      }
      if (left > 0) {
        // Whoever comes while it lasts may have it.
        this.#turns[0] = { ...turn, count: left };
        break;
      }
      this.#turns.shift();
    }
    return jobs;
  }

  /** Turns that have passed, or that a clock that was put back has put off; who had them needs others. */
  #drop(now: number): void {
    const isGood = ({ from, until }: Permits) => until > now && from < now + FARTHEST;
    if (this.#turns.every(isGood)) return;
    this.#turns = this.#turns.filter(isGood);
    const jobs = this.#ready.takeAll();
    const kept = this.#promised;
    for (const [place, job] of jobs.entries()) {
      if (place < kept) this.#ready.push(job);
      else {
        job.hasWaited = true;
        this.#lacking[classOf(job)].push(job);
      }
    }
  }

  get #promised(): number {
    return this.#turns.reduce((sum, { count }) => sum + count, 0);
  }

  /** Gives turns that nobody has to the first of these. */
  #fill(from: Classes): void {
    let spare = this.#promised - this.#ready.length;
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
