import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import type { Clock } from '../../common/index.js';
import { ThornConfigurationError } from '../../errors/index.js';
import type { Message } from '../../message/index.js';
import type { Held } from '../tables/leases.js';
import { OutboxLockedError } from './outbox-locked.error.js';
import type { Shard } from '../store/outbox-store.js';
import { SharedInsert } from './insert-batcher.js';
import { SqliteDatabase } from '../database/sqlite-database.js';
import type { Staged } from '../store/staged-message.js';

/** Of the pool at most, for what is sent outside of transactions. */
const CONNECTIONS = 4;

/** What an INSERT did. */
interface Inserted {
  /** Ids that were there before. */
  readonly known: ReadonlySet<string>;
  readonly lease: string;
  readonly leasedUntil: number;
  readonly joined: Promise<void> | null;
}

/** Which messages are not written: whoever is given them after the commit does that. */
export type IsLeftUnstored = (message: Message) => boolean;

/** Writes messages, and remembers what was written until it is released. */
export class Stager {
  readonly #shards: readonly Shard[];
  readonly #leaseFor: number;
  readonly #clock: Clock;
  readonly #patience: number;
  readonly #isLeft: IsLeftUnstored;
  readonly #shared = new Map<Shard, SharedInsert<Inserted | null>>();
  // Null: a message of that id is stored already.
  readonly #staged = new WeakMap<Message, Staged | null>();

  /**
   * @param leaseFor milliseconds; 0: others may take at once what is staged
   * @param patience milliseconds to wait for a lock of somebody else's on SQLite
   */
  constructor(
    shards: readonly Shard[],
    leaseFor: number,
    patience: number,
    clock: Clock,
    isLeft: IsLeftUnstored = () => false,
  ) {
    this.#shards = shards;
    this.#leaseFor = leaseFor;
    this.#clock = clock;
    this.#patience = patience;
    this.#isLeft = isLeft;
  }

  /** @throws {@link ThornConfigurationError} when the manager belongs to a data source that is none of the outbox' */
  async stage(messages: readonly Message[], manager: EntityManager | undefined): Promise<void> {
    const shard = this.#shardOf(manager);
    const firsts = firstOfEachId(messages);
    for (const message of messages) this.#staged.set(message, null);
    const written = firsts.filter((message) => {
      const isLeft = this.#isLeft(message);
      if (isLeft) this.#staged.set(message, this.#unstored(shard));
      return !isLeft;
    });
    if (written.length === 0 && firsts.length > 0) return;
    const { known, lease, leasedUntil, joined } =
      manager === undefined
        ? await this.#insert(shard, written)
        : await this.#insertWith(shard, manager, written);
    for (const message of written) {
      if (known.has(message.id)) continue;
      this.#staged.set(message, { shard, isStored: true, lease, leasedUntil, joined });
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
    const held = new Map<Shard, Held[]>();
    for (const message of messages) {
      const staged = this.#staged.get(message);
      if (staged === undefined || staged === null) continue;
      this.#staged.delete(message);
      if (!staged.isStored) continue;
      const list = held.get(staged.shard) ?? [];
      list.push({ id: message.id, lease: staged.lease });
      held.set(staged.shard, list);
    }
    for (const [shard, list] of held) await shard.messages.remove(list);
  }

  #unstored(shard: Shard): Staged {
    return { shard, isStored: false, ...this.#token(), joined: null };
  }

  /** In the transaction of the manager, or in one of its own when it is in none. */
  async #insertWith(
    { messages: table }: Shard,
    manager: EntityManager,
    messages: readonly Message[],
  ): Promise<Inserted> {
    const token = this.#token();
    const { lease, leasedUntil } = token;
    const known = await table.insertWith(manager, messages, lease, leasedUntil);
    return { ...token, known, joined: null };
  }

  async #insert(shard: Shard, messages: readonly Message[]): Promise<Inserted> {
    const { database, dataSource } = shard;
    if (!(database instanceof SqliteDatabase && database.isWithinTransaction)) {
      const inserted = await this.#sharedInsert(shard).insert(messages);
      if (inserted !== null) return inserted;
      // Nothing was written, and nobody was told otherwise.
      throw new OutboxLockedError(this.#patience);
    }
    // The caller is itself in the transaction that holds the lock, and would wait for itself. There is one connection for
    // all, so the message joins that transaction; should it be rolled back, the message is written once more.
    const inserted = await this.#insertWith(shard, dataSource.manager, messages);
    const { known, lease, leasedUntil } = inserted;
    const joined = this.#afterTransaction(shard, messages, known, lease, leasedUntil);
    joined.catch(() => undefined);
    return { ...inserted, joined };
  }

  #sharedInsert(shard: Shard): SharedInsert<Inserted | null> {
    let shared = this.#shared.get(shard);
    if (shared === undefined) {
      const { database, dataSource } = shard;
      shared =
        database instanceof SqliteDatabase
          ? new SharedInsert((messages) => this.#insertWithin(shard, database, messages), 1)
          : new SharedInsert<Inserted | null>(
              (messages) => this.#insertWith(shard, dataSource.manager, messages),
              CONNECTIONS,
            );
      this.#shared.set(shard, shared);
    }
    return shared;
  }

  /** @returns null when the database is locked for too long */
  async #insertWithin(
    { messages: table }: Shard,
    database: SqliteDatabase,
    messages: readonly Message[],
  ): Promise<Inserted | null> {
    const token = this.#token();
    const statements = table.insertions(messages, token.lease, token.leasedUntil);
    const results = await database.executeWithin(this.#patience, statements);
    if (results === null) return null;
    const written = new Set(results.flatMap(({ rows }) => rows.map(({ id }) => id)));
    const known = new Set(messages.map(({ id }) => id).filter((id) => !written.has(id)));
    return { ...token, known, joined: null };
  }

  /** A new one each time: it also tells whether a message was there before, and be it from this very process. */
  #token(): { readonly lease: string; readonly leasedUntil: number } {
    return { lease: randomUUID(), leasedUntil: this.#clock.now() + this.#leaseFor };
  }

  async #afterTransaction(
    shard: Shard,
    messages: readonly Message[],
    known: ReadonlySet<string>,
    lease: string,
    leasedUntil: number,
  ): Promise<void> {
    const own = messages.filter(({ id }) => !known.has(id));
    const stored = await shard.messages.stored(own.map(({ id }) => id));
    const lost = own.filter(({ id }) => !stored.has(id));
    if (lost.length === 0) return;
    await shard.database.execute(shard.messages.insertions(lost, lease, leasedUntil));
  }

  #shardOf(manager: EntityManager | undefined): Shard {
    if (manager === undefined) return this.#shards[0]!;
    const shard = this.#shards.find(({ dataSource }) => dataSource === dataSourceOf(manager));
    if (shard !== undefined) return shard;
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
