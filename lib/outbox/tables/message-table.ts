import { setImmediate } from 'node:timers/promises';
import { isConflict, isTaken } from '../../database/database-errors.js';
import { OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';
import { TransactionEndedError } from '../../database/errors.js';
import type { Message } from '../../message/index.js';
import { type Dialect, idRows, type Statement, type Columns } from '../../database/dialect.js';
import { isOfMessages, keyOf, pairOf, rangesOf, withMessageId } from './keys.js';
import { type Lease, Leases, type NewLease } from './leases.js';
import { newPosition } from './message-position.js';
import type { MessageCursor } from './message-cursor.js';
import { chunksOf, type KnownCheck, MessageInsertions } from './message-insertions.js';
import { MessageNumbers } from './message-numbers.js';
import { MESSAGE_COLUMNS, type MessageRowMapper, messageSelection } from './message-row-mapper.js';
import type { TableNames } from './table-names.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { TransactionProof } from '../../database/transaction-proof.js';
import {
  type JoinedTransaction,
  type Result,
  type Row,
  runSteps,
  runStepsSync,
  type Step,
} from '../../database/sql-client.js';

// Aliases of their own, because SQLite returns columns without their table's name.
const HELD: Columns = { held_id: 'uuid', held_by: 'text' };

/** The result of an INSERT of messages. */
export interface Inserted extends NewLease {
  /** Ids that existed before: nothing was written for them. */
  readonly known: ReadonlySet<string>;
}

type Run = (steps: readonly Step[]) => Promise<readonly Result[]>;

/** Where messages are written. */
interface Target {
  readonly run: Run;
  /** True when more can be written after a statement that failed. */
  readonly goesOn: boolean;
  readonly proof?: TransactionProof | undefined;
}

const NONE: ReadonlySet<string> = new Set();
const MOST_TRIES = 5;

/** The SQL on `thorn_messages` and on the leases in `thorn_pending_messages`. */
export class MessageTable {
  readonly #dialect: Dialect;
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
    this.leases = new Leases(database, tables.pendingMessages, 'msg_');
    this.#insertions = new MessageInsertions(
      this.#dialect,
      tables,
      rows,
      hasHistory ? newPosition(this.#dialect, tables.messages) : undefined,
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

  /** {@link insert} in a transaction of the application, without promises. */
  insertSync(
    run: NonNullable<JoinedTransaction['runSync']>,
    messages: readonly Message[],
    lease: NewLease,
  ): Inserted {
    const check = checkOf(messages);
    try {
      const results = runStepsSync(run, this.#steps(messages, lease, check));
      const known = check === 'none' ? NONE : this.#insertions.knownIds(messages, results);
      return { ...lease, known };
    } catch (error) {
      try {
        run(this.#removalOf(messages));
      } catch {
        // It has ended, with all that was written.
      }
      throw error;
    }
  }

  /**
   * Deletes messages whose lease could not be inserted: on SQLite and MariaDB a caller can go on after the error, and commit.
   * Messages with an id of the caller's stay, because another transaction may have written them.
   */
  #removalOf(messages: readonly Message[]): Statement {
    const own = messages.filter(({ isIdNew }) => isIdNew);
    const { rows, parameter } = idRows(
      this.#dialect,
      own.map(({ id }) => keyOf('msg_', id)),
    );
    const sql = this.#dialect.deleteFrom(this.tables.messages, rows, 't.id = r.id');
    return { sql, parameters: [parameter], tables: [OUTBOX_TABLES.messages.name] };
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
    return MessageNumbers.of(messages, this.#dialect, this.tables);
  }

  /** @returns ids that existed before */
  async #insert(
    target: Target,
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
    { run, goesOn, proof }: Target,
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
    const found = await this.#found(ids, 'm.id, m.given_id');
    return new Set(found.map(({ id }) => id as string));
  }

  /** Reads the rows of messages. */
  load(ids: readonly string[]): Promise<readonly Row[]> {
    return this.#found(ids, messageSelection(this.#dialect, 'm.'));
  }

  async #found(ids: readonly string[], columns: string): Promise<readonly Row[]> {
    const keys = ids.map((id) => keyOf('msg_', id));
    const { rows, parameter } = idRows(this.#dialect, keys);
    const result = await this.database.run({
      sql: `SELECT ${columns} FROM ${rows} ${this.#dialect.join} ${this.tables.messages} m ON m.id = r.id`,
      parameters: [parameter],
    });
    return result.rows.map(withMessageId);
  }

  /** Claims due messages that are not held, or whose lease has expired. Other processes cannot claim the same rows. */
  async claim(token: string, now: number, until: number, limit: number): Promise<readonly Row[]> {
    const { pendingMessages: table } = this.tables;
    // For the planner of PostgreSQL an array is a few rows: then it looks messages up instead of reading all of them.
    const picked =
      this.#dialect.name === 'postgres'
        ? '= ANY(ARRAY(SELECT id FROM picked))'
        : 'IN (SELECT id FROM picked)';
    const due = `SELECT id FROM ${table} WHERE due_at <= ? ORDER BY due_at LIMIT ${limit} ${this.#dialect.skipLocked}`;
    if (this.#dialect.returns) {
      return this.#claimed({
        sql: `WITH picked AS (${due}) UPDATE ${table} SET lease = ?, due_at = ? WHERE id ${picked} RETURNING id`,
        parameters: [now, token, until],
      });
    }
    const pick = { sql: this.#loading(`(${due}) AS r`), parameters: [now] };
    return (await this.leases.claim(pick, token, until)).map(withMessageId);
  }

  /**
   * Takes messages over from other holders, as long as each row still carries the given token.
   *
   * @param token the token of the new holder
   * @returns the rows that were taken over
   */
  async takeOver(held: readonly Lease[], token: string, until: number): Promise<readonly Row[]> {
    const { pendingMessages: table } = this.tables;
    const rows = this.#dialect.rows('r', HELD);
    const json = this.#dialect.rowsParameter(
      HELD,
      held.map((one) => ({ held_id: keyOf('msg_', one.id), held_by: one.token })),
    );
    const update = this.#dialect.updateFrom(
      table,
      ['lease = ?', 'due_at = ?'],
      rows,
      't.id = r.held_id AND t.lease = r.held_by',
    );
    if (this.#dialect.returns) {
      const returning = this.#dialect.name === 'postgres' ? 't.id' : 'id';
      return this.#claimed({
        sql: `${update} RETURNING ${returning}`,
        parameters: [token, until, json],
      });
    }
    const taken = `(SELECT t.id FROM ${rows} ${this.#dialect.join} ${table} t ON t.id = r.held_id AND t.lease = ?) AS r`;
    const results = await this.database.execute([
      // MySQL takes the row source before SET, so the parameters swap.
      { sql: update, parameters: [json, token, until] },
      { sql: this.#loading(taken), parameters: [json, token] },
    ]);
    return results[1]!.rows.map(withMessageId);
  }

  /** Runs an UPDATE that returns ids, and reads their messages. */
  async #claimed(update: Statement): Promise<readonly Row[]> {
    if (this.#dialect.name === 'postgres') {
      const { rows } = await this.database.run({
        sql: `WITH r AS (${update.sql}) ${this.#loading('r')}`,
        parameters: update.parameters,
      });
      return rows.map(withMessageId);
    }
    const results = await this.database.execute([
      update,
      ([taken]) => {
        if (taken!.rows.length === 0) return null;
        const { rows, parameter } = idRows(
          this.#dialect,
          taken!.rows.map(({ id }) => id),
        );
        return { sql: this.#loading(rows), parameters: [parameter] };
      },
    ]);
    return results[1]!.rows.map(withMessageId);
  }

  /** Reads the messages of ids `r`. One without its message, which was deleted by hand, counts as expunged. */
  #loading(rows: string): string {
    return `SELECT r.id AS id, ${messageSelection(this.#dialect, 'm.', MESSAGE_COLUMNS.slice(1))} FROM ${rows} LEFT JOIN ${this.tables.messages} m ON m.id = r.id`;
  }

  /** Returns the subscribers that have a delivery, by message. */
  async handled(
    messages: readonly MessageCursor[],
  ): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const results = await this.database.execute(
      rangesOf(messages).map((set) => {
        const { sql, parameters } = isOfMessages(set);
        return {
          sql: `SELECT d.message_id, d.subscriber_id, d.given_message_id, d.given_subscriber_id FROM ${this.tables.deliveries} d WHERE ${sql}`,
          parameters,
        };
      }),
    );
    const handled = new Map<string, Set<string>>();
    for (const row of results.flatMap(({ rows }) => rows)) {
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

/** Messages whose ids were made with them cannot be there already. */
function checkOf(messages: readonly Message[]): KnownCheck {
  return messages.every(({ isIdNew }) => isIdNew) ? 'none' : 'stored';
}
