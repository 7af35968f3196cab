import type { Message } from '../../message/index.js';
import type { Lease, Leases } from '../tables/leases.js';

/** A message or delivery that this process has leased. */
export interface HeldLease extends Lease {
  token: string;
  leasedUntil: number;
  /** Set when another process has claimed it: no attempt of it begins any more. */
  isLost: boolean;
}

/** A leased message some of whose deliveries have no row yet. */
export interface HeldMessage extends HeldLease {
  readonly message: Message;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  /** Deliveries whose first attempt has not ended. */
  open: number;
  /** When to look for its missing recipients; null: all of them are known. */
  againAt: number | null;
  /** The number of rows that its deliveries have once none is open. */
  deliveries: number;
  /** True when its deliveries to ordered subscribers are written. */
  hasEntered: boolean;
}

/** The rows of one table that this process has leased. */
export class HeldLeases<Item extends HeldLease> {
  readonly #items = new Map<string, Item>();

  constructor(private readonly leases: Leases) {}

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

  /** Forgets a row that is written, or was claimed by another process. */
  remove({ id, token }: Lease): void {
    if (this.#items.get(id)?.token === token) this.#items.delete(id);
  }

  /**
   * Goes on with a new lease, when this process has claimed a row that it holds already: the old lease had run out, as
   * after a pause of the process or a jump of the clock.
   *
   * @returns false when it is not held
   */
  adopt(id: string, token: string, leasedUntil: number): boolean {
    const item = this.#items.get(id);
    if (item === undefined) return false;
    item.token = token;
    item.leasedUntil = leasedUntil;
    return true;
  }

  /** Renews the leases that end before `before`, and forgets lost leases. */
  async renew(before: number, until: number): Promise<void> {
    const ending = this.all().filter(({ leasedUntil }) => leasedUntil < before);
    if (ending.length === 0) return;
    const asked = new Map(ending.map((item) => [item, item.token]));
    const kept = new Map(
      (await this.leases.renew(ending, until)).map(({ id, token }) => [id, token]),
    );
    for (const [item, token] of asked) {
      if (item.token !== token || this.#items.get(item.id) !== item) continue;
      if (kept.get(item.id) === token) {
        item.leasedUntil = until;
      } else {
        item.isLost = true;
        this.#items.delete(item.id);
      }
    }
  }
}
