import { statementsOfInsert } from '../insert-statements.js';
import type { Told } from '../transaction-status.js';
import type { Message } from '../../message/index.js';
import { UnseenWrites } from '../../capture/changes/unseen-writes.js';
import type { CollectedItem } from '../../capture/changes/due-events.js';
import { metadataOf } from '../entities/entity-table.js';
import { TransactionFrames } from '../../capture/changes/transaction-frames.js';

/** A write that was refused after it was made: with it, or with its savepoint, all has to go. */
interface Refusal {
  readonly type: 'refusal';
  readonly reason: Error;
}

/** What the capture knows of one connection, and of its open transaction. */
export class ConnectionState {
  readonly frames = new TransactionFrames<CollectedItem | Refusal>();
  /** Staged in the open transaction, released when it has committed. */
  readonly staged: Message[] = [];
  /** Happened outside of any transaction and not sent yet. */
  readonly unframed: CollectedItem[] = [];
  /** What the capture does not know of the open transaction. */
  unseen = new UnseenWrites();
  /** Why the database has ended the open transaction by itself: what is run in it now would be in none. */
  endedBy: Error | undefined;
  /** True once the database has rolled back what was to be committed. */
  hasFailed = false;
  /** How TypeORM ends the transaction or savepoint right now. */
  ending: 'commit' | 'rollback' | undefined;
  /** True if TypeORM has begun the open transaction within one that was begun by hand. */
  isWithinOther = false;
  /** Whether a transaction was open after the last write, where the database tells with its result. */
  isOpenAfterWrite: boolean | undefined;
  /** Sends what was collected outside of a transaction. */
  sending: Promise<void> | undefined;
  /** Statements of the open transaction. */
  #statements = 0;

  /** Another transaction begins. */
  begin(): void {
    this.#statements = 0;
    this.endedBy = undefined;
    if (this.unseen.any) this.unseen = new UnseenWrites();
  }

  /** A statement of the open transaction is about to be run. */
  statement(): void {
    this.#statements += 1;
  }

  /** What the database has told with the result of a statement. */
  told({ hasTransaction, hasRolledBack }: Told): void {
    this.isOpenAfterWrite = hasTransaction ?? this.isOpenAfterWrite;
    // PostgreSQL answers the COMMIT of a transaction that had failed with a ROLLBACK.
    if (hasRolledBack && this.ending === 'commit') this.hasFailed = true;
  }

  /** True if one INSERT of TypeORM's wrote these rows, and the transaction has no statement besides. */
  isAlone(items: readonly CollectedItem[]): boolean {
    return items.every((one) => {
      if (one.type === 'message') return true;
      if (one.type !== 'row' || one.did !== 'insert') return false;
      return this.#statements === statementsOfInsert(metadataOf(one.plan.table));
    });
  }

  /** The frames; a transaction may have begun before the capture started to listen. */
  get openFrames(): ConnectionState['frames'] {
    if (this.frames.depth === 0) this.frames.begin();
    return this.frames;
  }

  /** Empties the frames of the changes and messages that they have collected. */
  drain(): CollectedItem[] {
    return this.frames.drain().filter((item) => item.type !== 'refusal');
  }

  /** True if the open transaction has collected changes or messages. */
  get hasCollected(): boolean {
    return this.frames.find((item) => item.type !== 'refusal') !== undefined;
  }

  /** Why the open transaction must not be committed. */
  get refusal(): Error | undefined {
    return this.frames.find((item) => item.type === 'refusal')?.reason;
  }
}
