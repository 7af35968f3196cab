import { setImmediate } from 'node:timers/promises';
import { isConflict, isTaken } from '../../database/database-errors.js';
import { TransactionEndedError } from '../../database/errors.js';
import type { Dialect, Select, Statement } from '../../database/dialect.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { TransactionProof } from '../../database/transaction-proof.js';
import type { Message } from '../../message/index.js';
import { selectPairsOf } from './deliveries.js';
import { type MessageCursor, type PairColumns, pairOf, rangesOf, withMessageId } from './keys.js';
import { type Lease, Leases, type NewLease } from './leases.js';
import { chunksOf, type KnownCheck, MessageInsertions } from './message-insertions.js';
import { MessageNumbers } from './message-numbers.js';
import type { MessageRowMapper } from './message-row-mapper.js';
import {
  deleteMessages,
  type LoadedMessage,
  newPosition,
  selectMessages,
  selectStored,
} from './messages.js';
import {
  claimPending,
  selectClaimed,
  selectDuePending,
  selectTakenOver,
  takePendingOver,
} from './pending-messages.js';
import type { TableNames, Target } from './table-names.js';
import {
  type JoinedTransaction,
  type Result,
  runSteps,
  type Step,
} from '../../database/sql-client.js';

/** The result of an INSERT of messages. */
export interface Inserted extends NewLease {
  /** Ids that existed before: nothing was written for them. */
  readonly known: ReadonlySet<string>;
}

type Run = (steps: readonly Step[]) => Promise<readonly Result[]>;

/** Where messages are written. */
interface Destination {
  readonly run: Run;
  /** True when more can be written after a statement that failed. */
  readonly goesOn: boolean;
  readonly proof?: TransactionProof | undefined;
}

const NONE: ReadonlySet<string> = new Set();
const MOST_TRIES = 5;

/** Writes, claims and reads messages in one database. */
export class MessageTable {
  readonly #dialect: Dialect;
  readonly #target: Target;
  readonly leases: Leases;
  readonly #insertions: MessageInsertions;

  /** @param hasHistory true: messages get a position in the history. Default false */
  constructor(
    private readonly database: SqlStore,
    private readonly tables: TableNames,
    rows: MessageRowMapper,
    hasHistory = false,
  ) {
    this.#dialect = database.dialect;
    this.#target = { dialect: database.dialect, tables };
    this.leases = new Leases(database, tables.pendingMessages, 'msg_');
    this.#insertions = new MessageInsertions(
      this.#target,
      rows,
      hasHistory ? newPosition(this.#target) : undefined,
    );
  }

  /**
   * Writes messages in a transaction of their own. Messages whose id exists are left out, those with a key are numbered.
   *
   * @param execute runs the statements in one transaction; answers null when it cannot
   * @returns null when `execute` could not
   */
  async insert(
    messages: readonly Message[],
    lease: NewLease,
    execute: (steps: readonly Step[]) => Promise<readonly Result[] | null>,
  ): Promise<Inserted | null> {
    const results = await execute(this.#steps(messages, lease));
    return results && { ...lease, known: this.#insertions.knownIds(messages, results) };
  }

  /**
   * Deletes messages whose lease could not be inserted: on SQLite and MariaDB a caller can go on after the error, and commit.
   * Messages with an id of the caller's stay, because another transaction may have written them.
   */
  #removalOf(messages: readonly Message[]): Statement {
    const own = messages.filter(({ isIdNew }) => isIdNew);
    return deleteMessages(
      this.#target,
      own.map(({ id }) => id),
    );
  }

  #steps(
    messages: readonly Message[],
    lease: NewLease,
    check: KnownCheck = 'stored',
  ): readonly Step[] {
    const steps = chunksOf(messages).flatMap((chunk) =>
      this.#insertions.steps(chunk, lease, check),
    );
    const numbers = this.#numbersOf(messages);
    const knownIds = (before: readonly Result[]) => this.#insertions.knownIds(messages, before);
    return numbers === undefined ? steps : numbers.around(steps, knownIds);
  }

  /**
   * Writes messages in transactions of their own, in one statement where that is possible.
   *
   * @param patience milliseconds to wait for a locked database
   * @returns null when it was locked for so long; nothing was written then
   */
  async insertAlone(
    messages: readonly Message[],
    lease: NewLease,
    patience: number,
  ): Promise<Inserted | null> {
    const chunks = chunksOf(messages);
    const numbers = this.#numbersOf(messages);
    const isOneStatement =
      numbers === undefined ||
      (numbers.areAllocatedAtOnce && numbers.areUsed && chunks.length === 1);
    if (this.#dialect.name !== 'postgres' || !isOneStatement) {
      return this.insert(messages, lease, (steps) => this.database.executeWithin(patience, steps));
    }
    const run: Run = (steps) => this.database.execute(steps);
    // A set whose connection was lost is written again.
    const known = await this.#insert({ run, goesOn: true }, chunks, lease, numbers);
    return { ...lease, known };
  }

  /**
   * Writes messages in a transaction of the application.
   *
   * @throws `TransactionEndedError` when it is over: nothing is written then
   */
  async insertWith(
    transaction: JoinedTransaction,
    messages: readonly Message[],
    lease: NewLease,
  ): Promise<Inserted> {
    const run: Run = (steps) => runSteps((statement) => transaction.run(statement), steps);
    const chunks = chunksOf(messages);
    const numbers = this.#numbersOf(messages);
    const atOnce = numbers?.areAllocatedAtOnce === true && chunks.length === 1;
    const { proof } = transaction;
    if (numbers !== undefined && !atOnce) numbers.assign((await run(numbers.steps(proof))).at(-1)!);
    // MySQL rolls back the statement alone, so that the transaction can go on.
    const goesOn = this.#dialect.name === 'mysql';
    const target = { run, goesOn, proof };
    const known = await this.#insert(target, chunks, lease, atOnce ? numbers : undefined).catch(
      async (error: unknown) => {
        const isEnded = error instanceof TransactionEndedError || isConflict(error);
        const isGone = this.#dialect.name === 'postgres' || isEnded;
        if (!isGone) await transaction.run(this.#removalOf(messages)).catch(() => undefined);
        throw error;
      },
    );
    if (numbers !== undefined && known.size > 0) await run(numbers.giveBack(known, proof));
    return { ...lease, known };
  }

  #numbersOf(messages: readonly Message[]): MessageNumbers | undefined {
    return MessageNumbers.of(messages, this.#target);
  }

  /** @returns ids that existed before */
  async #insert(
    target: Destination,
    chunks: readonly (readonly Message[])[],
    lease: NewLease,
    numbers: MessageNumbers | undefined,
  ): Promise<ReadonlySet<string>> {
    const known = new Set<string>();
    for (const [index, chunk] of chunks.entries()) {
      // SQLite answers without yielding to the event loop.
      if (index > 0 && this.#dialect.name === 'sqlite') await setImmediate();
      for (const id of await this.#insertChunk(target, chunk, lease, numbers)) known.add(id);
    }
    return known;
  }

  async #insertChunk(
    { run, goesOn, proof }: Destination,
    messages: readonly Message[],
    lease: NewLease,
    numbers: MessageNumbers | undefined,
  ): Promise<ReadonlySet<string>> {
    let check = checkOf(messages);
    for (let tries = 1; ; tries++) {
      try {
        const results = await run(this.#insertions.steps(messages, lease, check, numbers, proof));
        numbers?.assignWritten(results[0]!);
        if (check === 'none' && numbers === undefined) return NONE;
        return this.#insertions.knownIds(messages, results);
      } catch (error) {
        if (!goesOn || !isTaken(error) || tries === MOST_TRIES) throw error;
        check = 'committed';
      }
    }
  }

  async stored(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const { rows } = await this.database.run(selectStored(this.#target, ids));
    return new Set(rows.map((row) => withMessageId(row).id));
  }

  /** Reads the rows of messages. */
  async load(ids: readonly string[]): Promise<readonly LoadedMessage[]> {
    const { rows } = await this.database.run(selectMessages(this.#target, ids));
    return rows.map(withMessageId);
  }

  /** Claims due messages that are not held, or whose lease has expired. Other processes cannot claim the same rows. */
  async claim(lease: NewLease, now: number, limit: number): Promise<readonly LoadedMessage[]> {
    if (this.#dialect.returns) return this.#claimed(claimPending(this.#target, lease, now, limit));
    const rows = await this.leases.claim(selectDuePending(this.#target, now, limit), lease);
    return rows.map(withMessageId);
  }

  /**
   * Takes messages over from other holders, as long as each row still carries the given token.
   *
   * @param lease that of the new holder
   * @returns the rows that were taken over
   */
  async takeOver(held: readonly Lease[], lease: NewLease): Promise<readonly LoadedMessage[]> {
    const taking = takePendingOver(this.#target, held, lease);
    if (taking.answersRows === true) return this.#claimed(taking);
    const results = await this.database.execute([
      taking,
      selectTakenOver(this.#target, held, lease.token),
    ]);
    return loadedRows(results[1]!);
  }

  /** Runs an UPDATE that returns messages or, on SQLite, their ids. */
  async #claimed(update: Select<LoadedMessage>): Promise<readonly LoadedMessage[]> {
    if (this.#dialect.name === 'postgres') {
      return (await this.database.run(update)).rows.map(withMessageId);
    }
    const results = await this.database.execute([
      update,
      ([taken]) =>
        taken!.rows.length === 0
          ? null
          : selectClaimed(
              this.#target,
              taken!.rows.map(({ id }) => id),
            ),
    ]);
    return loadedRows(results[1]!);
  }

  /** Returns the subscribers that have a delivery, by message. */
  async handled(
    messages: readonly MessageCursor[],
  ): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const results = await this.database.execute(
      rangesOf(messages).map((set) => selectPairsOf(this.#target, set)),
    );
    const handled = new Map<string, Set<string>>();
    for (const row of (results as readonly Result<PairColumns>[]).flatMap(({ rows }) => rows)) {
      const { messageId, subscriberId } = pairOf(row);
      const set = handled.get(messageId) ?? new Set();
      handled.set(messageId, set.add(subscriberId));
    }
    return handled;
  }

  /** Deletes the messages that are still held. */
  remove(held: readonly Lease[]): Promise<void> {
    return this.leases.removeWith(this.tables.messages, held);
  }
}

/** The answer of a step that reads messages. */
function loadedRows(result: Result): readonly LoadedMessage[] {
  return (result as Result<LoadedMessage>).rows.map(withMessageId);
}

/** Messages whose ids were made with them cannot be there already. */
function checkOf(messages: readonly Message[]): KnownCheck {
  return messages.every(({ isIdNew }) => isIdNew) ? 'none' : 'stored';
}
