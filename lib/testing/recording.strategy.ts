import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Statement } from '../database/dialect.js';
import { createStore, PooledStore } from '../database/pooled-store.js';
import type { JoinedTransaction, SqlClient } from '../database/sql-client.js';
import type { Release } from '../dispatch/index.js';
import { DispatchStrategy } from '../dispatch/index.js';
import type { Message } from '../message/index.js';
import { Arrivals, type WaitOptions } from './arrival-waiter.js';

/** A message that would have been delivered. */
export interface SentMessage {
  /** `msg_` and a UUIDv7, or the id that was given to `send()`. */
  readonly id: string;
  /** Name of the event. */
  readonly event: string;
  /** The user that the message belongs to; null when it has no owner. */
  readonly owner: string | null;
  /** The address of the thing, as in the body; null without one. */
  readonly ref: string | null;
  /** The envelope's `data`; undefined when the application's own envelope has none. */
  readonly data: unknown;
  /** The whole body, as JSON. */
  readonly body: unknown;
  /** The message itself, with its headers and settings. */
  readonly message: Message;
}

/**
 * Records messages instead of delivering them, so that tests can check which messages an application sends. A message
 * of a transaction appears in {@link sent} after the commit, a message of a buffer scope when the buffer is flushed.
 * Prisma, Drizzle and other clients do not report commits: await {@link waitFor} with them, and do not roll back
 * savepoints. On MariaDB and SQLite these clients need the library's tables.
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ dispatch: RecordingStrategy });
 *
 * const webhooks = app.get<RecordingStrategy>(DispatchStrategy);
 * await orders.cancel('7');
 * expect((await webhooks.waitFor('order.cancelled')).data).toEqual({ id: '7' });
 * ```
 */
export class RecordingStrategy extends DispatchStrategy {
  /** The number of their transaction on PostgreSQL, elsewhere the id of a row: the client tells nothing of commits. */
  readonly #transactions = new WeakMap<Message, string>();
  readonly #arrivals = new Arrivals<SentMessage>(({ event }) => event);

  /** Messages sent since the last {@link clear}, oldest first. */
  get sent(): readonly SentMessage[] {
    return this.#arrivals.items;
  }

  /**
   * Resolves to the first message of an event since the last {@link clear}, also when it is yet to be sent.
   *
   * @param name the event's name, without wildcards
   * @throws {@link WaitTimeoutError} when none is sent in time
   */
  waitFor(name: string, options?: WaitOptions): Promise<SentMessage> {
    const find = (sent: readonly SentMessage[]) => sent.find(({ event }) => event === name);
    return this.#arrivals.waitFor(`a message of the event ${name}`, find, options);
  }

  /** Forgets the recorded messages. */
  clear(): void {
    this.#arrivals.clear();
  }

  override async stage(
    messages: readonly Message[],
    transaction?: JoinedTransaction,
  ): Promise<void> {
    if (transaction?.client.commits !== 'looked up') return;
    if (transaction.dialect.name === 'postgres') return this.#noteNumber(messages, transaction);
    await transaction.run(this.#mark(messages, transaction));
  }

  override releaseOnCommit(messages: readonly Message[], { client }: JoinedTransaction): void {
    const id = this.#transactions.get(messages[0]!)!;
    const outcome =
      client.dialect.name === 'postgres' ? hasCommitted(client, id) : isMarked(client, id);
    void outcome.then(
      (isSent) => isSent && this.#arrivals.add(...messages.map(recorded)),
      // The application has ended meanwhile.
      () => undefined,
    );
  }

  /** The statement that marks the transaction of messages. */
  #mark(messages: readonly Message[], { client }: JoinedTransaction): Statement {
    const row = markFor(client);
    for (const message of messages) this.#transactions.set(message, row.parameters[0]);
    return row;
  }

  async #noteNumber(messages: readonly Message[], transaction: JoinedTransaction): Promise<void> {
    const { rows } = await transaction.run(TRANSACTION_ID);
    for (const message of messages) this.#transactions.set(message, String(rows[0]!['id']));
  }

  override async release(messages: readonly Message[]): Promise<readonly Release[]> {
    this.#arrivals.add(...messages.map(recorded));
    return messages.map(({ id }) => ({ message: id, state: 'accepted', attempts: [] }));
  }
}

const TRANSACTION_ID: Statement = {
  sql: 'SELECT pg_current_xact_id()::text AS id',
  parameters: [],
  answersRows: true,
};
const TRANSACTION_STATUS = 'SELECT pg_xact_status(CAST(? AS xid8)) AS status';
/** Milliseconds between two reads of the database, and the longest time of one read. */
const LOOK_EVERY = 5;
const LOOK_WITHIN = 10_000;

/** Resolves at the end of a transaction of PostgreSQL: to true if it has committed. */
async function hasCommitted(client: SqlClient<never>, id: string): Promise<boolean> {
  const store = new PooledStore(client, LOOK_WITHIN);
  for (;;) {
    const parameters = [id];
    const { rows } = await store.run({ sql: TRANSACTION_STATUS, parameters, answersRows: true });
    const status = rows[0]!['status'];
    if (status !== 'in progress') return status === 'committed';
    await setTimeout(LOOK_EVERY, undefined, { ref: false });
  }
}

const MARKS = 'thorn_pending_messages';

/** A row that stays if its transaction commits. No worker claims it. */
function markFor(
  client: SqlClient<never>,
): Statement & { readonly parameters: [string, ...unknown[]] } {
  return {
    sql: `INSERT INTO ${client.table(MARKS)} (id, lease, due_at) VALUES (?, ?, ?)`,
    parameters: [randomUUID(), 'recording', Number.MAX_SAFE_INTEGER],
  };
}

/** Resolves at the end of the transaction, which has a lock on the row: to true if it has committed. Removes the row. */
async function isMarked(client: SqlClient<never>, id: string): Promise<boolean> {
  const store = createStore(client, LOOK_WITHIN);
  const [table, lock] = [client.table(MARKS), store.dialect.skipLocked === '' ? '' : 'FOR UPDATE'];
  const parameters = [id];
  const [found] = await store.execute([
    { sql: `SELECT id FROM ${table} WHERE id = ? ${lock}`, parameters, answersRows: true },
    { sql: `DELETE FROM ${table} WHERE id = ?`, parameters },
  ]);
  return found!.rows.length > 0;
}

function recorded(message: Message): SentMessage {
  const { id, event, owner, ref } = message;
  const body: unknown = JSON.parse(message.json.toString());
  const data = typeof body === 'object' && body !== null && 'data' in body ? body.data : undefined;
  return { id, event, owner, ref, data, body, message };
}
