import type { Statement } from '../../database/dialect.js';
import type { SubscriberChange, SubscriberChangePage } from './subscriber-change.js';

/** A change that is not told yet, and that this process may tell. */
export interface UntoldChange {
  readonly change: SubscriberChange;
  /** The time from which processes may tell it. Of two processes that claim it, one finds another time. */
  readonly dueAt: number;
  /** How often it was claimed before. */
  readonly tries: number;
}

/**
 * The audit of subscribers: their changes, and which of them are still to be told. This class keeps nothing: it is the
 * audit of a repository that has none.
 */
export class SubscriberAudit {
  /** False: changes are not kept. */
  get isKept(): boolean {
    return false;
  }

  /**
   * The statements that write changes of one subscriber in the transaction of whatever has caused them, on the database of the
   * outbox; none where they are not kept in a database. {@link record} keeps them then.
   */
  statements(changes: readonly SubscriberChange[]): readonly Statement[] {
    void changes;
    return [];
  }

  /** Keeps changes for which {@link statements} returns none. */
  record(changes: readonly SubscriberChange[]): void {
    void changes;
  }

  /** The changes of one subscriber, the latest commit first. */
  async list(
    subscriberId: string,
    page: { readonly limit: number; readonly after: string | null },
  ): Promise<SubscriberChangePage> {
    void [subscriberId, page];
    return { items: [], next: null };
  }

  /** Changes that are due to be told, the oldest first. */
  async due(now: number, limit: number): Promise<readonly UntoldChange[]> {
    void [now, limit];
    return [];
  }

  /**
   * Sets the time from which a change may be told again. Of two processes that have read the same change, one gets true.
   *
   * @param until null: it is never told again
   * @param toldAt the time at which it was told. Default: it was not
   */
  async reschedule(
    untold: UntoldChange,
    until: number | null,
    toldAt: number | null = null,
  ): Promise<boolean> {
    void [untold, until, toldAt];
    return false;
  }

  /** Removes the changes from before a time. */
  async removeBefore(time: number): Promise<void> {
    void time;
  }
}
