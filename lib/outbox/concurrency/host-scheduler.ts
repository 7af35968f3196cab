import type { Clock } from '../../common/index.js';
import type { BreakerSignal, EndpointRules } from './circuit-breaker.js';
import { Fifo } from '../../common/fifo.js';
import { HostQueue } from './host-queue.js';
import { mostForRetries, type Slot, SlotPool } from './slot-pool.js';

/** Something to be sent to a host. */
export interface HostJob {
  readonly host: string;
  /** First attempts never wait behind those that are tried again. */
  readonly isRetry: boolean;
}

/** What lanes do with jobs. */
export interface HostWork<Job extends HostJob> {
  /** Makes the request; never rejects. `neutral`: nothing is to be learnt of the endpoint. */
  run(job: Job): Promise<BreakerSignal>;
  /** Keeps the job for later: its host takes nothing before `until`, or is too far behind. */
  park(job: Job, until: number): void;
  /** There is room for retries of a host again that had none. */
  room(): void;
  /** What has been run and would be run again if the process died now: counts against the window as well. */
  unwritten(): number;
}

/** What the lanes of a process are doing. */
export interface SchedulerActivity {
  /** Requests under way. */
  readonly inFlight: number;
  /** Deliveries that wait for a slot. */
  readonly waiting: number;
  /** Hosts that asked for a breather. */
  readonly paused: number;
  /** Hosts whose breaker is open. */
  readonly broken: number;
}

/** What this process knows of a host that does not simply take what it gets. */
export interface EndpointHealth {
  readonly host: string;
  /** `paused`: it asked for a breather. `broken`: it failed too often, its breaker is open. */
  readonly mode: 'flowing' | 'paused' | 'broken';
  /** When the one probe may go, in milliseconds since the Unix epoch; null while flowing. */
  readonly until: number | null;
  /** Consecutive failures. */
  readonly failures: number;
}

/** How much may go at once. */
export interface ConcurrencyLimits {
  readonly window: number;
  readonly perHost: number;
  readonly endpoints: EndpointRules;
}

/** Milliseconds: a host whose first in line waits longer is too far behind to have more of it in memory. */
const LONGEST_WAIT = 5000;
const MOST_WAITING = 100_000;
const MOST_LANES = 1000;
/** Milliseconds after which it is seen whether an operator still wants a host to wait. */
const PAUSE_STEP = 30_000;

/**
 * One lane for each host: slots of its own, so that a slow host holds up nobody else, and what is known of its health.
 * Lanes with something to do take turns.
 */
export class HostScheduler<Job extends HostJob> {
  readonly #lanes = new Map<string, HostQueue<Job>>();
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
    private readonly work: HostWork<Job>,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {
    this.#slots = new SlotPool(limits.window);
  }

  get running(): number {
    return this.#slots.taken;
  }

  get waiting(): number {
    return this.#waiting;
  }

  activity(): SchedulerActivity {
    let [paused, broken] = [0, 0];
    for (const { mode } of this.#lanes.values()) {
      if (mode === 'paused') paused++;
      else if (mode === 'broken') broken++;
    }
    return { inFlight: this.running, waiting: this.waiting, paused, broken };
  }

  add(job: Job): void {
    const lane = this.#lane(job.host);
    const now = this.clock.now();
    const until = this.#closedUntil(lane, now);
    if (until !== null) return this.work.park(job, until);
    const queue = lane.queue(job.isRetry);
    const since = performance.now();
    if (queue.waited(since) > LONGEST_WAIT || this.#waiting >= MOST_WAITING) {
      return this.work.park(job, now);
    }
    queue.push(job, since);
    this.#waiting++;
    this.#enlist(lane);
    this.#pump();
  }

  /** Hosts that get nothing until told otherwise, `*` for all: what waits for them is kept for later. */
  pause(hosts: ReadonlySet<string>): void {
    this.#paused = hosts;
    const now = this.clock.now();
    for (const lane of this.#lanes.values()) this.#parkIfClosed(lane, now);
  }

  /** The hosts whose health is not simply good. */
  endpoints(): readonly EndpointHealth[] {
    return [...this.#lanes.values()].flatMap(({ host, state: { mode, until, failures } }) =>
      mode === 'flowing' && failures === 0 ? [] : [{ host, mode, until, failures }],
    );
  }

  /** How many retries of a host may be added now. */
  room(host: string): number {
    return this.#lanes.get(host)?.room(this.clock.now()) ?? mostForRetries(this.limits.perHost) * 2;
  }

  /** Removes everything that has not begun. */
  takeWaiting(): Job[] {
    const jobs = [...this.#lanes.values()].flatMap((lane) => lane.takeWaiting());
    this.#waiting = 0;
    return jobs;
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    if (this.running + this.#waiting > 0)
      await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Starts what may start; to be called when something was written. */
  resume(): void {
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

  /** @returns false when no lane of the list can start anything */
  #startNext(list: Fifo<HostQueue<Job>>, isRetry: boolean): boolean {
    if (list.length === 0) return false;
    if (this.running + this.work.unwritten() >= this.limits.window) return false;
    const slot = this.#slots.take(isRetry, performance.now());
    if (slot === null) return false;
    for (let lane = list.shift(); lane !== undefined; lane = list.shift()) {
      const queue = lane.queue(isRetry);
      queue.isListed = false;
      if (!lane.canStart(isRetry)) continue;
      const ticket = lane.admit(this.clock.now());
      if (ticket === null) continue;
      this.#waiting--;
      this.#start(lane, queue.shift()!, slot, ticket);
      this.#enlist(lane);
      return true;
    }
    this.#slots.free(slot);
    return false;
  }

  #start(lane: HostQueue<Job>, job: Job, slot: Slot, ticket: number): void {
    lane.started(job.isRetry);
    void this.work.run(job).then((outcome) => {
      const duration = performance.now() - slot.takenAt;
      this.#slots.free(slot);
      const now = this.clock.now();
      if (lane.ended(job.isRetry, duration, ticket, outcome, now, this.random())) {
        this.#parkIfClosed(lane, now);
      }
      this.#enlist(lane);
      this.#announceRoom(lane);
      this.#forget(lane);
      this.#pump();
      if (this.running + this.#waiting === 0) for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  /** An endpoint that has closed takes none of what waits for it. */
  #parkIfClosed(lane: HostQueue<Job>, now: number): void {
    const until = this.#closedUntil(lane, now);
    if (until === null) return;
    const jobs = lane.takeWaiting();
    this.#waiting -= jobs.length;
    for (const job of jobs) this.work.park(job, until);
  }

  #closedUntil(lane: HostQueue<Job>, now: number): number | null {
    const isPaused = this.#paused.has(lane.host) || this.#paused.has(EVERY_HOST);
    return isPaused ? now + PAUSE_STEP : lane.closedUntil(now);
  }

  #enlist(lane: HostQueue<Job>): void {
    if (!lane.firsts.isListed && lane.canStart(false)) {
      lane.firsts.isListed = true;
      this.#firsts.push(lane);
    }
    if (!lane.retries.isListed && lane.canStart(true)) {
      lane.retries.isListed = true;
      this.#retries.push(lane);
    }
  }

  #announceRoom({ retries }: HostQueue<Job>): void {
    if (!retries.wasFull || retries.length > 0) return;
    retries.wasFull = false;
    this.work.room();
  }

  /** A slot that is no longer young makes room without anything having ended. */
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

  #lane(host: string): HostQueue<Job> {
    let lane = this.#lanes.get(host);
    if (lane === undefined) {
      lane = new HostQueue<Job>(host, this.limits.perHost, this.limits.endpoints);
      this.#lanes.set(host, lane);
    }
    return lane;
  }

  /** Hosts come and go: who has nothing to do and is well needs no memory. */
  #forget(lane: HostQueue<Job>): void {
    if (this.#lanes.size > MOST_LANES && lane.isForgettable) this.#lanes.delete(lane.host);
  }
}

/** Stands for every host. */
export const EVERY_HOST = '*';
