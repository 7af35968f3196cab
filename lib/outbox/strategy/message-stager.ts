import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { Batcher } from '../../common/batcher.js';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import type { Clock } from '../../common/index.js';
import { ThornConfigurationError } from '../../errors/index.js';
import type { Message } from '../../message/index.js';
import type { Lease } from '../tables/leases.js';
import { OutboxLockedError } from './outbox-locked.error.js';
import type { OutboxStore } from '../store/outbox-store.js';
import { SqliteDatabase } from '../database/sqlite-database.js';
import type { Staged } from '../store/staged-message.js';

/** Connections of the pool at most, for messages that are sent outside of transactions. */
const CONNECTIONS = 4;
const MESSAGES_PER_STATEMENT = 500;

/** Writes the messages of several callers in one statement; each caller's messages are written all or none. */
type InsertBatcher = Batcher<readonly Message[], Inserted | null>;

/** What an INSERT did. */
interface Inserted {
  /** Ids that were there before. */
  readonly known: ReadonlySet<string>;
  readonly lease: string;
  readonly leasedUntil: number;
  readonly joined: Promise<void> | null;
}

/** Writes messages, and remembers what was written until it is released. */
export class MessageStager {
  readonly #batchers = new Map<OutboxStore, InsertBatcher>();
  // Null: a message of that id is stored already.
  readonly #staged = new WeakMap<Message, Staged | null>();

  /**
   * @param leaseFor milliseconds; 0: others may take at once what is staged
   * @param patience milliseconds to wait for a lock of somebody else's on SQLite
   */
  constructor(
    private readonly stores: readonly OutboxStore[],
    private readonly leaseFor: number,
    private readonly patience: number,
    private readonly clock: Clock,
  ) {}

  /** @throws {@link ThornConfigurationError} when the manager belongs to a data source that is none of the outbox' */
  async stage(messages: readonly Message[], manager: EntityManager | undefined): Promise<void> {
    const store = this.#storeOf(manager);
    const firsts = firstOfEachId(messages);
    for (const message of messages) this.#staged.set(message, null);
    const { known, lease, leasedUntil, joined } =
      manager === undefined
        ? await this.#insert(store, firsts)
        : await this.#insertWith(store, manager, firsts);
    for (const message of firsts) {
      if (known.has(message.id)) continue;
      this.#staged.set(message, { store, lease, leasedUntil, joined });
    }
  }

  /** @returns null when there was one of that id before */
  take(message: Message): Staged | null {
    const staged = this.#staged.get(message);
    if (staged === undefined) {
      throw new ThornConfigurationError(`${message.id} was released without having been staged`);
    }
    this.#staged.delete(message);
    return staged;
  }

  /** Removes what was written. */
  async discard(messages: readonly Message[]): Promise<void> {
    const held = new Map<OutboxStore, Lease[]>();
    for (const message of messages) {
      const staged = this.#staged.get(message);
      if (staged === undefined || staged === null) continue;
      this.#staged.delete(message);
      const list = held.get(staged.store) ?? [];
      list.push({ id: message.id, token: staged.lease });
      held.set(staged.store, list);
    }
    for (const [store, list] of held) await store.messages.remove(list);
  }

  /** In the transaction of the manager, or in one of its own when it is in none. */
  async #insertWith(
    { messages: table }: OutboxStore,
    manager: EntityManager,
    messages: readonly Message[],
  ): Promise<Inserted> {
    const token = this.#token();
    const { lease, leasedUntil } = token;
    const known = await table.insertWith(manager, messages, lease, leasedUntil);
    return { ...token, known, joined: null };
  }

  async #insert(store: OutboxStore, messages: readonly Message[]): Promise<Inserted> {
    const { database } = store;
    const joinable = database instanceof SqliteDatabase ? database.callersTransaction : undefined;
    if (joinable === undefined) {
      const inserted = await this.#batcherOf(store).add(messages);
      if (inserted !== null) return inserted;
      // Nothing was written, and nobody was told otherwise.
      throw new OutboxLockedError(this.patience);
    }
    // The caller is itself in the transaction that holds the lock, and would wait for itself. There is one connection for
    // all, so the message joins that transaction; should it be rolled back, the message is written once more.
    const inserted = await this.#insertWith(store, joinable, messages);
    const { known, lease, leasedUntil } = inserted;
    const joined = this.#afterTransaction(store, messages, known, lease, leasedUntil);
    joined.catch(() => undefined);
    return { ...inserted, joined };
  }

  #batcherOf(store: OutboxStore): InsertBatcher {
    let batcher = this.#batchers.get(store);
    if (batcher === undefined) {
      const { database, dataSource } = store;
      const isSqlite = database instanceof SqliteDatabase;
      batcher = new Batcher(
        (sets) =>
          isSqlite
            ? this.#insertWithin(store, database, sets.flat())
            : this.#insertWith(store, dataSource.manager, sets.flat()),
        {
          idsOf: (messages) => messages.map(({ id }) => id),
          size: MESSAGES_PER_STATEMENT,
          concurrency: isSqlite ? 1 : CONNECTIONS,
          failing: 'each',
        },
      );
      this.#batchers.set(store, batcher);
    }
    return batcher;
  }

  /** @returns null when the database is locked for too long */
  async #insertWithin(
    { messages: table }: OutboxStore,
    database: SqliteDatabase,
    messages: readonly Message[],
  ): Promise<Inserted | null> {
    const token = this.#token();
    const statements = table.insertions(messages, token.lease, token.leasedUntil);
    const results = await database.executeWithin(this.patience, statements);
    if (results === null) return null;
    const written = new Set(results.flatMap(({ rows }) => rows.map(({ id }) => id)));
    const known = new Set(messages.map(({ id }) => id).filter((id) => !written.has(id)));
    return { ...token, known, joined: null };
  }

  /** A new one each time: it also tells whether a message was there before, and be it from this very process. */
  #token(): { readonly lease: string; readonly leasedUntil: number } {
    return { lease: randomUUID(), leasedUntil: this.clock.now() + this.leaseFor };
  }

  async #afterTransaction(
    store: OutboxStore,
    messages: readonly Message[],
    known: ReadonlySet<string>,
    lease: string,
    leasedUntil: number,
  ): Promise<void> {
    const own = messages.filter(({ id }) => !known.has(id));
    const stored = await store.messages.stored(own.map(({ id }) => id));
    const lost = own.filter(({ id }) => !stored.has(id));
    if (lost.length === 0) return;
    await store.database.execute(store.messages.insertions(lost, lease, leasedUntil));
  }

  #storeOf(manager: EntityManager | undefined): OutboxStore {
    if (manager === undefined) return this.stores[0]!;
    const store = this.stores.find(({ dataSource }) => dataSource === dataSourceOf(manager));
    if (store !== undefined) return store;
    throw new ThornConfigurationError(
      'The manager belongs to a data source that ThornModule does not capture; add it to the option dataSources',
    );
  }
}

function firstOfEachId(messages: readonly Message[]): readonly Message[] {
  const firsts = new Map<string, Message>();
  for (const message of messages) if (!firsts.has(message.id)) firsts.set(message.id, message);
  return firsts.size === messages.length ? messages : [...firsts.values()];
}
