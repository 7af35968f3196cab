import type { Clock } from '../common/index.js';
import {
  admissibleAt,
  admit,
  type EndpointOutcome,
  type EndpointRules,
  type EndpointState,
  settle,
  UNKNOWN_ENDPOINT,
} from './endpoint-state.js';
import { Fifo } from './fifo.js';
import { mostForRetries, type Slot, Slots } from './slots.js';

/** Something to be sent to a host. */
export interface LaneJob {
  readonly host: string;
  /** First attempts never wait behind those that are tried again. */
  readonly isRetry: boolean;
}

/** What lanes do with jobs. */
export interface LaneWork<Job extends LaneJob> {
  /** Makes the request; never rejects. `skipped`: no request was made, and nothing is to be learnt of the endpoint. */
  run(job: Job): Promise<EndpointOutcome>;
  /** Keeps the job for later: its host takes nothing before `until`, or is too far behind. */
  park(job: Job, until: number): void;
  /** There is room for retries of a host again that had none. */
  room(): void;
  /** What has been run and would be run again if the process died now: counts against the window as well. */
  unwritten(): number;
}

/** What the lanes of a process are doing. */
export interface LaneActivity {
  /** Requests under way. */
  readonly inFlight: number;
  /** Deliveries that wait for a slot. */
  readonly waiting: number;
  /** Hosts that asked for a breather. */
  readonly paused: number;
  /** Hosts whose breaker is open. */
  readonly broken: number;
}

/** How much may go at once. */
export interface LaneLimits {
  readonly window: number;
  readonly perHost: number;
  readonly endpoints: EndpointRules;
}

const LONGEST_QUEUE_TIME = 5000;
const SHORTEST_LIMIT = 256;
const MOST_WAITING = 100_000;

/**
 * One lane for each host: slots of its own, so that a slow host holds up nobody else, and what is known of its health.
 * Lanes with something to do take turns.
 */
export class Lanes<Job extends LaneJob> {
  readonly #limits: LaneLimits;
  readonly #work: LaneWork<Job>;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #lanes = new Map<string, Lane<Job>>();
  readonly #slots: Slots;
  readonly #firsts = new Fifo<Lane<Job>>();
  readonly #retries = new Fifo<Lane<Job>>();
  readonly #idle: (() => void)[] = [];
  #waiting = 0;
  #timer: NodeJS.Timeout | null = null;
  #isPumping = false;

  constructor(limits: LaneLimits, work: LaneWork<Job>, clock: Clock, random: () => number) {
    this.#limits = limits;
    this.#work = work;
    this.#clock = clock;
    this.#random = random;
    this.#slots = new Slots(limits.window);
  }

  get running(): number {
    return this.#slots.taken;
  }

  get waiting(): number {
    return this.#waiting;
  }

  activity(): LaneActivity {
    let [paused, broken] = [0, 0];
    for (const { state } of this.#lanes.values()) {
      if (state.mode === 'paused') paused++;
      else if (state.mode === 'broken') broken++;
    }
    return { inFlight: this.running, waiting: this.waiting, paused, broken };
  }

  add(job: Job): void {
    const lane = this.#lane(job.host);
    const now = this.#clock.now();
    if (lane.state.mode !== 'flowing' && !isProbing(lane.state, now)) {
      const until = admissibleAt(lane.state, now);
      if (until > now) return this.#work.park(job, until);
    }
    if (lane.waiting >= this.#longestQueue(lane) || this.#waiting >= MOST_WAITING) {
      return this.#work.park(job, now);
    }
    (job.isRetry ? lane.retries : lane.firsts).push(job);
    this.#waiting++;
    this.#enlist(lane);
    this.#pump();
  }

  /** How many retries of a host may be added now. */
  room(host: string): number {
    const lane = this.#lanes.get(host);
    const most = mostForRetries(this.#limits.perHost) * 2;
    if (lane === undefined) return most;
    if (lane.state.mode !== 'flowing') {
      const isOpen = admissibleAt(lane.state, this.#clock.now()) <= this.#clock.now();
      return isOpen && lane.waiting === 0 ? 1 : 0;
    }
    const room = most - lane.retries.length - lane.retriesRunning;
    if (room <= 0) lane.wasFull = true;
    return Math.max(0, room);
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
  #startNext(list: Fifo<Lane<Job>>, isRetry: boolean): boolean {
    if (list.length === 0) return false;
    if (this.running + this.#work.unwritten() >= this.#limits.window) return false;
    const slot = this.#slots.take(isRetry, performance.now());
    if (slot === null) return false;
    for (let lane = list.shift(); lane !== undefined; lane = list.shift()) {
      lane.setListed(isRetry, false);
      if (!this.#canStart(lane, isRetry)) continue;
      const ticket = this.#admit(lane);
      if (ticket === null) continue;
      const job = (isRetry ? lane.retries : lane.firsts).shift()!;
      this.#waiting--;
      this.#start(lane, job, slot, ticket);
      this.#enlist(lane);
      return true;
    }
    this.#slots.free(slot);
    return false;
  }

  #start(lane: Lane<Job>, job: Job, slot: Slot, ticket: number): void {
    const began = performance.now();
    lane.running++;
    if (job.isRetry) lane.retriesRunning++;
    void this.#work.run(job).then((outcome) => {
      lane.running--;
      if (job.isRetry) lane.retriesRunning--;
      this.#slots.free(slot);
      lane.learn(performance.now() - began);
      const before = lane.state;
      lane.state = settle(
        before,
        ticket,
        outcome,
        this.#limits.endpoints,
        this.#clock.now(),
        this.#random(),
      );
      if (before !== lane.state) this.#changed(lane);
      this.#enlist(lane);
      this.#announceRoom(lane);
      this.#forget(lane);
      this.#pump();
      if (this.running + this.#waiting === 0) for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  #canStart(lane: Lane<Job>, isRetry: boolean): boolean {
    const { perHost } = this.#limits;
    if (lane.running >= perHost) return false;
    if (!isRetry) return lane.firsts.length > 0;
    return lane.retries.length > 0 && lane.retriesRunning < mostForRetries(perHost);
  }

  #admit(lane: Lane<Job>): number | null {
    if (lane.state.mode === 'flowing') return lane.state.epoch;
    const { state, ticket } = admit(lane.state, this.#limits.endpoints, this.#clock.now());
    lane.state = state;
    return ticket;
  }

  /** An endpoint that has closed takes none of what waits for it. */
  #changed(lane: Lane<Job>): void {
    const now = this.#clock.now();
    if (lane.state.mode === 'flowing' || isProbing(lane.state, now)) return;
    const until = admissibleAt(lane.state, now);
    if (until <= now) return;
    const jobs = lane.takeWaiting();
    this.#waiting -= jobs.length;
    for (const job of jobs) this.#work.park(job, until);
  }

  #enlist(lane: Lane<Job>): void {
    if (this.#canStart(lane, false) && !lane.isListed(false)) {
      lane.setListed(false, true);
      this.#firsts.push(lane);
    }
    if (this.#canStart(lane, true) && !lane.isListed(true)) {
      lane.setListed(true, true);
      this.#retries.push(lane);
    }
  }

  #announceRoom(lane: Lane<Job>): void {
    if (!lane.wasFull || lane.retries.length > 0) return;
    lane.wasFull = false;
    this.#work.room();
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

  #longestQueue(lane: Lane<Job>): number {
    if (lane.latency === 0) return MOST_WAITING;
    const perSecond = (this.#limits.perHost * 1000) / lane.latency;
    return Math.max(SHORTEST_LIMIT, (perSecond * LONGEST_QUEUE_TIME) / 1000);
  }

  #lane(host: string): Lane<Job> {
    let lane = this.#lanes.get(host);
    if (lane === undefined) this.#lanes.set(host, (lane = new Lane<Job>(host)));
    return lane;
  }

  /** Hosts come and go: who has nothing to do and is well needs no memory. */
  #forget(lane: Lane<Job>): void {
    const isWell = lane.state.mode === 'flowing' && lane.state.failures === 0;
    if (isWell && lane.running + lane.waiting === 0 && this.#lanes.size > 1000) {
      this.#lanes.delete(lane.host);
    }
  }
}

class Lane<Job> {
  readonly firsts = new Fifo<Job>();
  readonly retries = new Fifo<Job>();
  state: EndpointState = UNKNOWN_ENDPOINT;
  running = 0;
  retriesRunning = 0;
  /** Milliseconds that requests take, the latest counting most. */
  latency = 0;
  wasFull = false;
  #isListedForFirsts = false;
  #isListedForRetries = false;

  constructor(readonly host: string) {}

  get waiting(): number {
    return this.firsts.length + this.retries.length;
  }

  learn(milliseconds: number): void {
    this.latency = this.latency === 0 ? milliseconds : this.latency * 0.95 + milliseconds * 0.05;
  }

  takeWaiting(): Job[] {
    return [...this.firsts.takeAll(), ...this.retries.takeAll()];
  }

  isListed(forRetries: boolean): boolean {
    return forRetries ? this.#isListedForRetries : this.#isListedForFirsts;
  }

  setListed(forRetries: boolean, isListed: boolean): void {
    if (forRetries) this.#isListedForRetries = isListed;
    else this.#isListedForFirsts = isListed;
  }
}

/** While a probe is under way, what comes next waits for its answer. */
function isProbing({ probeUntil }: EndpointState, now: number): boolean {
  return probeUntil !== null && probeUntil > now;
}
