import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type Clock, FaultLog } from '../../common/index.js';
import type { HostShare } from '../tables/deliveries.js';
import { claim, dueHosts, nextDue } from './claim.js';
import { type FanOutParts, resumeMessages } from '../fan-out/fan-out.js';
import type { HostScheduler } from './host-scheduler.js';
import type { DeliveryJob } from '../store/delivery-job.js';
import type { CheckedOutboxOptions } from '../outbox-options.js';
import type { RetryScheduler } from './retry-scheduler.js';
import { MOST_HELD_TO_CLAIM, type OutboxStore } from '../store/outbox-store.js';
import type { WakeSignal } from '../../common/waiting.js';

const CLAIM = 100;
const HOSTS_AT_ONCE = 256;
const LONGEST_BACKOFF = 30_000;
const PRUNE_EVERY = 60_000;
const PRUNE_PAUSE = 50;
const LONGEST_PRUNE_BACKOFF = 3_600_000;
const SHORTEST_WAIT = 5;

/** Dependencies of a {@link ClaimLoop}. */
export interface ClaimDependencies {
  readonly fanOut: FanOutParts;
  readonly retries: RetryScheduler;
  readonly scheduler: HostScheduler<DeliveryJob>;
  /** Ends the loop's sleep. */
  readonly claims: WakeSignal;
  readonly clock: Clock;
}

/**
 * Claims the due rows of one data source: retries, and messages that a process has left behind when it ended. An error is logged,
 * and the loop goes on.
 *
 * A loop looks (claims what is due and for what there is room), prunes (when nothing was due, once a minute at most and
 * later after a failure), or sleeps (until something is due or the signal wakes it, one poll interval at most).
 */
export class ClaimLoop {
  readonly #faults = new FaultLog();
  #cursor = '';
  #failures = 0;
  #pruneAt = Number.NEGATIVE_INFINITY;
  #pruneFailures = 0;
  #isStopped = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: OutboxStore,
    private readonly dependencies: ClaimDependencies,
    private readonly settings: CheckedOutboxOptions,
  ) {}

  start(): void {
    this.#ended = this.#run();
  }

  /** Resolves when the loop has ended. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.dependencies.claims.wake();
    return this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const seen = this.dependencies.claims.count;
      const wait = await this.#look();
      await this.#sleep(wait, seen);
    }
  }

  /** @returns the milliseconds to sleep */
  async #look(): Promise<number> {
    const { pollInterval, lease } = this.settings;
    try {
      if (this.#failures > 0) {
        await nextDue(this.store);
        this.#failures = 0;
        // Processes that live renew their leases first, which may have expired while the database was away.
        return lease / 5;
      }
      const claimed = await this.#claim();
      const isPruning = claimed === 0 && (await this.#prune());
      const due = claimed > 0 ? null : await nextDue(this.store);
      if (claimed > 0) return 0;
      const wait = (due ?? Number.POSITIVE_INFINITY) - this.dependencies.clock.now();
      const longest = isPruning ? Math.min(PRUNE_PAUSE, pollInterval) : pollInterval;
      // A delivery that is due and was not claimed found no room, or its host gets no requests at the moment.
      return wait <= 0 ? longest : Math.min(wait + SHORTEST_WAIT, longest);
    } catch (error) {
      if (this.#isStopped) return 0;
      const wait = Math.min(LONGEST_BACKOFF, pollInterval * 2 ** this.#failures++);
      this.#faults.report(`Looking for due deliveries failed, again in ${wait} ms`, error);
      return wait;
    }
  }

  /** @returns how much was claimed */
  async #claim(): Promise<number> {
    const { fanOut: parts, retries, clock } = this.dependencies;
    const { lease } = this.settings;
    const due = await nextDue(this.store);
    const now = clock.now();
    if (due === null || due > now) return 0;
    let claimed = 0;
    if (this.store.heldMessages.size < MOST_HELD_TO_CLAIM) {
      const newLease = { token: randomUUID(), leasedUntil: now + lease };
      const rows = await this.store.messages.claim(newLease, now, CLAIM);
      if (rows.length > 0) await resumeMessages(parts, this.store, rows, newLease);
      claimed += rows.length;
    }
    const shares = await this.#shares(now);
    if (shares.length === 0) return claimed;
    const newLease = { token: randomUUID(), leasedUntil: now + lease };
    const deliveries = await claim(this.store, shares, newLease, now);
    if (deliveries.length > 0) {
      await retries.resume(this.store, deliveries, newLease.token, newLease.leasedUntil);
    }
    return claimed + deliveries.length;
  }

  /** Each host with due deliveries gets the same share, as far as it has room. The first host rotates. */
  async #shares(now: number): Promise<HostShare[]> {
    const { hosts, last } = await dueHosts(this.store, this.#cursor, now, HOSTS_AT_ONCE);
    const startedAt = this.#cursor;
    this.#cursor = last ?? '';
    const rooms = hosts.flatMap((host) => {
      const room = this.dependencies.scheduler.room(host);
      return room > 0 ? [{ host, room }] : [];
    });
    if (rooms.length === 0) {
      return last === null && startedAt !== '' ? this.#shares(now) : [];
    }
    const share = Math.max(1, Math.floor(CLAIM / rooms.length));
    const served = rooms.slice(0, CLAIM);
    if (served.length < rooms.length) this.#cursor = served.at(-1)!.host;
    return served.map(({ host, room }) => ({ host, limit: Math.min(room, share) }));
  }

  /** Deletes old messages. If that fails, claims go on all the same. @returns whether there is more to delete */
  async #prune(): Promise<boolean> {
    if (performance.now() < this.#pruneAt) return false;
    try {
      const mayBeMore = await this.store.retention.step(this.dependencies.clock.now());
      this.#pruneFailures = 0;
      if (!mayBeMore) this.#pruneAt = performance.now() + PRUNE_EVERY;
      return mayBeMore;
    } catch (error) {
      const wait = Math.min(LONGEST_PRUNE_BACKOFF, PRUNE_EVERY * 2 ** this.#pruneFailures++);
      this.#pruneAt = performance.now() + wait;
      if (!this.#isStopped) {
        this.#faults.report(`Deleting old messages failed, again in ${wait} ms`, error);
      }
      return false;
    }
  }

  async #sleep(milliseconds: number, seen: number): Promise<void> {
    const { claims } = this.dependencies;
    // SQLite answers within one iteration of the event loop: claims without a pause would leave no time for requests.
    if (milliseconds <= 0 || this.#isStopped || claims.count !== seen) return setImmediate();
    await claims.sleep(milliseconds);
  }
}
