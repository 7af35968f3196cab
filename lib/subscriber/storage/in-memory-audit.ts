import { SubscriberAudit, type UntoldChange } from '../model/subscriber-audit.js';
import type { SubscriberChange, SubscriberChangePage } from '../model/subscriber-change.js';

const MOST_KEPT = 1000;

interface Kept {
  readonly change: SubscriberChange;
  /** Null: it is told. */
  dueAt: number | null;
  tries: number;
}

/** Keeps the latest 1,000 changes in the memory of this process, which loses them when it ends. */
export class InMemoryAudit extends SubscriberAudit {
  #kept: readonly Kept[] = [];

  override get isKept(): boolean {
    return true;
  }

  override record(changes: readonly SubscriberChange[]): void {
    const added = changes.map((change) => ({ change, dueAt: change.at, tries: 0 }));
    this.#kept = [...this.#kept, ...added].slice(-MOST_KEPT);
  }

  override async list(
    subscriberId: string,
    { limit, after }: { readonly limit: number; readonly after: string | null },
  ): Promise<SubscriberChangePage> {
    const all = this.#kept
      .map(({ change }) => change)
      .filter((one) => one.subscriberId === subscriberId);
    const newest = all.toReversed();
    const at = newest.findIndex(({ id }) => id === after);
    const rest = after !== null && at === -1 ? [] : newest.slice(at + 1);
    const items = rest.slice(0, limit);
    return { items, next: rest.length > limit ? items.at(-1)!.id : null };
  }

  override async due(now: number, limit: number): Promise<readonly UntoldChange[]> {
    return this.#kept
      .flatMap(({ change, dueAt, tries }) =>
        dueAt !== null && dueAt <= now ? [{ change, dueAt, tries }] : [],
      )
      .slice(0, limit);
  }

  override async reschedule(
    { change, dueAt, tries }: UntoldChange,
    until: number | null,
  ): Promise<boolean> {
    const kept = this.#kept.find((one) => one.change.id === change.id && one.dueAt === dueAt);
    if (kept === undefined) return false;
    Object.assign(kept, { dueAt: until, tries });
    return true;
  }

  override async removeBefore(time: number): Promise<void> {
    this.#kept = this.#kept.filter(({ change }) => change.at >= time);
  }
}
