import { type Clock, FaultLog } from '../../common/index.js';
import type { OutboxStore, StagedMessage } from '../store/outbox-store.js';

/** Milliseconds until the first look; each one after it waits four times as long. */
const FIRST_LOOK = 2;
const FACTOR = 4;

/** Messages of one transaction that may still be open. */
interface Open {
  readonly messages: readonly StagedMessage[];
  wait: number;
  /** By `performance.now()`. */
  lookAt: number;
}

/** Settings of a {@link CommitWatcher}. */
export interface CommitWatching {
  readonly clock: Clock;
  /** The longest time between two looks, in milliseconds. */
  readonly pollInterval: number;
  /** How long messages are leased once their commit is seen, in milliseconds. */
  readonly lease: number;
}

/**
 * Looks up whether transactions have committed, for clients that do not report commits. The promise of a transaction proves
 * nothing: a transaction that has failed may end without an error. A message whose row can be read is released. A message whose
 * row cannot be read within its lease is forgotten; if it is committed later, a claim loop finds it.
 */
export class CommitWatcher {
  readonly #faults = new FaultLog();
  readonly #open = new Set<Open>();
  #timer: NodeJS.Timeout | undefined;
  /** By `performance.now()`. */
  #nextLook = Infinity;
  #isLooking = false;
  #isStopped = false;

  /** @param release delivers messages that are committed, and leased to this process */
  constructor(
    private readonly store: OutboxStore,
    private readonly watching: CommitWatching,
    private readonly release: (messages: readonly StagedMessage[]) => void,
  ) {}

  /** Releases messages of one transaction once it has committed. */
  watch(messages: readonly StagedMessage[]): void {
    if (messages.length === 0 || this.#isStopped) return;
    const lookAt = performance.now() + FIRST_LOOK;
    this.#open.add({ messages, wait: FIRST_LOOK, lookAt });
    this.#schedule(lookAt);
  }

  /** Leaves messages whose commit is not seen yet to the claim loops. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#open.clear();
  }

  #schedule(at: number): void {
    // One look at a time: transactions that are due meanwhile are read with the next look.
    if (this.#isLooking || this.#isStopped || at >= this.#nextLook) return;
    this.#nextLook = at;
    clearTimeout(this.#timer);
    // A timer may fire a little early.
    this.#timer = setTimeout(() => void this.#look(), Math.max(0, at - performance.now() + 1));
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    const now = performance.now();
    // Only transactions that are due: a long one may have many messages, and each look would read them again.
    const due = [...this.#open].filter(({ lookAt }) => lookAt <= now);
    try {
      if (due.length > 0) await this.#lookAt(due);
    } catch (error) {
      if (!this.#isStopped) this.#faults.report('Looking for committed messages failed', error);
    }
    this.#postpone(due);
    this.#isLooking = false;
    this.#nextLook = Infinity;
    let next = Infinity;
    for (const { lookAt } of this.#open) next = Math.min(next, lookAt);
    this.#schedule(next);
  }

  async #lookAt(looked: readonly Open[]): Promise<void> {
    const { store } = this;
    const messages = looked.flatMap((open) => open.messages);
    const seen = await store.messages.leases.held(messages.map(leaseOf));
    if (seen.length === 0) return;
    const tokens = new Set(seen.map(({ id, token }) => `${id} ${token}`));
    for (const open of looked) {
      // A transaction commits as a whole.
      if (open.messages.some((one) => tokens.has(keyOf(one)))) this.#open.delete(open);
    }
    const leasedUntil = this.watching.clock.now() + this.watching.lease;
    const kept = await store.messages.leases.renew(seen, leasedUntil);
    const held = new Set(kept.map(({ id, token }) => `${id} ${token}`));
    if (this.#isStopped) return;
    const own = messages.filter((one) => held.has(keyOf(one)));
    this.release(own.map((one) => ({ ...one, leasedUntil })));
  }

  #postpone(looked: readonly Open[]): void {
    const [now, time] = [performance.now(), this.watching.clock.now()];
    for (const open of looked) {
      if (open.messages.every(({ leasedUntil }) => leasedUntil <= time)) this.#open.delete(open);
      open.lookAt = now + open.wait;
      open.wait = Math.min(open.wait * FACTOR, this.watching.pollInterval);
    }
  }
}

function leaseOf({ message: { id }, token }: StagedMessage) {
  return { id, token };
}

function keyOf(one: StagedMessage): string {
  const { id, token } = leaseOf(one);
  return `${id} ${token}`;
}
