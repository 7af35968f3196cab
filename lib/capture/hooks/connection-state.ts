import type { Message } from '../../message/index.js';
import { UnseenWrites } from '../changes/unseen-writes.js';
import type { CollectedItem } from '../changes/due-events.js';
import { TransactionFrames } from '../changes/transaction-frames.js';

/** Statements after which every row is still there. */
const KEEPS_ROWS = /^(?:INSERT|UPDATE)\b/i;

/** Statements that leave every row as it is. */
const HARMLESS = /^(?:SELECT|START|BEGIN|COMMIT|SAVEPOINT|RELEASE|ROLLBACK|PRAGMA)\b/i;

/** Statements that read what is there, and not a snapshot of the transaction. */
const READS_NO_SNAPSHOT =
  /^(?:INSERT|UPDATE|DELETE|SAVEPOINT|RELEASE|ROLLBACK)\b|\b(?:FOR UPDATE|FOR SHARE|LOCK IN SHARE MODE)\s*$/i;

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
  /** True once the database has rolled back what was to be committed. */
  hasFailed = false;
  /** Sends what was collected outside of a transaction. */
  sending: Promise<void> | undefined;
  /** True if the application may have begun to read a snapshot, and counts on it, in the open transaction. */
  hasSnapshot = false;
  #ownStatements = 0;
  /** Statements of the open transaction that may have written something. */
  #writes = 0;

  /** Another transaction begins. */
  begin(): void {
    this.#writes = 0;
    this.hasSnapshot = false;
    if (this.unseen.any) this.unseen = new UnseenWrites();
  }

  /** A statement of the open transaction is about to be run. */
  statement(sql: string): void {
    this.hasSnapshot ||= this.#ownStatements === 0 && !READS_NO_SNAPSHOT.test(sql);
    if (HARMLESS.test(sql)) return;
    this.#writes += 1;
    if (!KEEPS_ROWS.test(sql)) this.unseen.removals = true;
  }

  /** Makes statements that the application has not asked for. */
  async asOwn<Result>(run: () => Promise<Result>): Promise<Result> {
    this.#ownStatements += 1;
    try {
      return await run();
    } finally {
      this.#ownStatements -= 1;
    }
  }

  /** True if these rows were inserted by one statement, and nothing else was written in the transaction. */
  isAlone(items: readonly CollectedItem[]): boolean {
    const changes = items.filter(({ type }) => type !== 'message');
    return this.#writes === 1 && changes.every((one) => one.type === 'row' && one.did === 'insert');
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
