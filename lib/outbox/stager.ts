import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { Clock } from '../common/index.js';
import { ThornConfigurationError } from '../errors/index.js';
import type { Message } from '../message/index.js';
import type { Held } from './message-table.js';
import { OutboxLockedError } from './outbox-locked.error.js';
import type { Shard } from './shard.js';
import { SqliteDatabase } from './sqlite-database.js';

/** What a staged message needs to be handed over. */
export interface Staged {
  readonly shard: Shard;
  readonly lease: string;
  readonly leasedUntil: number;
  /** Pending while a transaction that the message had to join is open; null for none. */
  readonly joined: Promise<void> | null;
}

/** Writes messages, and remembers what was written until it is released. */
export class Stager {
  readonly #shards: readonly Shard[];
  readonly #leaseFor: number;
  readonly #clock: Clock;
  readonly #patience: number;
  // Null: a message of that id is stored already.
  readonly #staged = new WeakMap<Message, Staged | null>();

  /**
   * @param leaseFor milliseconds; 0: others may take at once what is staged
   * @param patience milliseconds to wait for a lock of somebody else's on SQLite
   */
  constructor(shards: readonly Shard[], leaseFor: number, patience: number, clock: Clock) {
    this.#shards = shards;
    this.#leaseFor = leaseFor;
    this.#clock = clock;
    this.#patience = patience;
  }

  /** @throws {@link ThornConfigurationError} when the manager belongs to a data source that is none of the outbox' */
  async stage(messages: readonly Message[], manager: EntityManager | undefined): Promise<void> {
    const shard = this.#shardOf(manager);
    const firsts = firstOfEachId(messages);
    // A new one each time: it also tells whether a message was there before, and be it from this very process.
    const lease = randomUUID();
    const leasedUntil = this.#clock.now() + this.#leaseFor;
    let known: ReadonlySet<string>;
    let joined: Promise<void> | null = null;
    if (manager === undefined) {
      ({ known, joined } = await this.#insert(shard, firsts, lease, leasedUntil));
    } else {
      known = await shard.messages.insertWith(manager, firsts, lease, leasedUntil);
    }
    const staged = new Set(firsts.filter(({ id }) => !known.has(id)));
    for (const message of messages) {
      this.#staged.set(message, staged.has(message) ? { shard, lease, leasedUntil, joined } : null);
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
      const list = held.get(staged.shard) ?? [];
      list.push({ id: message.id, lease: staged.lease });
      held.set(staged.shard, list);
    }
    for (const [shard, list] of held) await shard.messages.remove(list);
  }

  async #insert(
    shard: Shard,
    messages: readonly Message[],
    lease: string,
    leasedUntil: number,
  ): Promise<{ readonly known: ReadonlySet<string>; readonly joined: Promise<void> | null }> {
    const { database, dataSource } = shard;
    const join = () => shard.messages.insertWith(dataSource.manager, messages, lease, leasedUntil);
    if (!(database instanceof SqliteDatabase)) return { known: await join(), joined: null };
    const statements = shard.messages.insertions(messages, lease, leasedUntil);
    if (!database.isWithinTransaction) {
      const results = await database.executeWithin(this.#patience, statements);
      // Nothing was written, and nobody was told otherwise.
      if (results === null) throw new OutboxLockedError(this.#patience);
      const written = new Set(results.flatMap(({ rows }) => rows.map(({ id }) => id)));
      return { known: missing(messages, written), joined: null };
    }
    // The caller is itself in the transaction that holds the lock, and would wait for itself. There is one connection for
    // all, so the message joins that transaction; should it be rolled back, the message is written once more.
    const known = await join();
    const joined = this.#afterTransaction(shard, messages, known, lease, leasedUntil);
    joined.catch(() => undefined);
    return { known, joined };
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
    const shard = this.#shards.find(({ dataSource }) => dataSource === manager.dataSource);
    if (shard !== undefined) return shard;
    throw new ThornConfigurationError(
      'The manager belongs to a data source that ThornModule does not capture; add it to the option dataSources',
    );
  }
}

function missing(messages: readonly Message[], written: ReadonlySet<unknown>): ReadonlySet<string> {
  return new Set(messages.map(({ id }) => id).filter((id) => !written.has(id)));
}

function firstOfEachId(messages: readonly Message[]): readonly Message[] {
  const firsts = new Map<string, Message>();
  for (const message of messages) if (!firsts.has(message.id)) firsts.set(message.id, message);
  return firsts.size === messages.length ? messages : [...firsts.values()];
}
