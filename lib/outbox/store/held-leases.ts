import type { Message } from '../../message/index.js';
import type { Lease } from '../tables/leases.js';

/** Something of the database that this process works on, and until when nobody else does. */
export interface HeldLease extends Lease {
  token: string;
  leasedUntil: number;
  /** Set when somebody else has taken it: nothing of it is begun any more. */
  isLost: boolean;
  /** What waits until the lease has been put off. */
  readonly stale: (() => void)[];
}

/** A message of which not every delivery has a row yet. */
export interface HeldMessage extends HeldLease {
  readonly message: Message;
  /** Deliveries whose first attempt has not ended. */
  open: number;
  /** When to look for those of its recipients that could not be told; null: all of them are known. */
  againAt: number | null;
}

/** Puts off leases. @returns those that are still held */
export type Renew = (held: readonly Lease[], until: number) => Promise<readonly Lease[]>;

/** What this process holds of one table. */
export class HeldLeases<Item extends HeldLease> {
  readonly #items = new Map<string, Item>();
  readonly #renew: Renew;

  constructor(renew: Renew) {
    this.#renew = renew;
  }

  get size(): number {
    return this.#items.size;
  }

  get(id: string): Item | undefined {
    return this.#items.get(id);
  }

  all(): readonly Item[] {
    return [...this.#items.values()];
  }

  add(item: Item): void {
    this.#items.set(item.id, item);
  }

  /** It is written, or somebody else's. */
  remove({ id, token: lease }: Lease): void {
    if (this.#items.get(id)?.token === lease) this.#items.delete(id);
  }

  /**
   * A claim has brought something that this process holds already: its own lease had run out, as after a pause of the
   * process or a jump of the clock. It goes on with the new one.
   *
   * @returns false when it is not held
   */
  adopt(id: string, lease: string, leasedUntil: number): boolean {
    const item = this.#items.get(id);
    if (item === undefined) return false;
    item.token = lease;
    item.leasedUntil = leasedUntil;
    for (const proceed of item.stale.splice(0)) proceed();
    return true;
  }

  /** Puts off the leases that end before `before`; what turns out to be lost is dropped. */
  async renew(before: number, until: number): Promise<void> {
    const ending = this.all().filter(({ leasedUntil }) => leasedUntil < before);
    if (ending.length === 0) return;
    const asked = new Map(ending.map((item) => [item, item.token]));
    const kept = new Map(
      (await this.#renew(ending, until)).map(({ id, token: lease }) => [id, lease]),
    );
    for (const [item, lease] of asked) {
      if (item.token !== lease || this.#items.get(item.id) !== item) continue;
      if (kept.get(item.id) === lease) {
        item.leasedUntil = until;
        for (const proceed of item.stale.splice(0)) proceed();
      } else {
        item.isLost = true;
        item.stale.length = 0;
        this.#items.delete(item.id);
      }
    }
  }
}
