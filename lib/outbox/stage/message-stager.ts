import { randomUUID } from 'node:crypto';
import { Batcher } from '../../common/batcher.js';
import type { JoinedTransaction } from '../../database/sql-client.js';
import type { Clock } from '../../common/index.js';
import { ThornConfigurationError, ThornError } from '../../errors/index.js';
import type { Lease, NewLease } from '../tables/leases.js';
import type { Inserted } from '../tables/message-table.js';
import type { Message } from '../../message/index.js';
import type { OutboxStore, Staged } from '../store/outbox-store.js';

const MESSAGES_PER_BATCH = 500;

/** Writes the messages of several callers in one transaction; each caller's messages are written all or none. */
type InsertBatcher = Batcher<readonly Message[], Inserted | null>;

/** Writes messages, and remembers their leases until they are released. */
export class MessageStager {
  readonly #batcher: InsertBatcher;
  /** By message. Null: another message of that id was stored before. */
  readonly #staged = new WeakMap<Message, Staged | null>();

  /**
   * @param leaseFor milliseconds; 0: other processes may claim staged messages at once
   * @param unseenFor milliseconds at most until this process sees a commit that the client does not report
   * @param lockTimeout milliseconds to wait for another connection's lock on SQLite
   */
  constructor(
    private readonly store: OutboxStore,
    private readonly leaseFor: number,
    private readonly unseenFor: number,
    private readonly lockTimeout: number,
    private readonly clock: Clock,
  ) {
    this.#batcher = new Batcher(
      (sets) => store.messages.insertAlone(sets.flat(), this.#newLease(), lockTimeout),
      {
        idsOf: (messages) => messages.map(({ id }) => id),
        size: MESSAGES_PER_BATCH,
        concurrency: store.database.concurrency,
        failing: 'each',
      },
    );
  }

  async stage(
    messages: readonly Message[],
    transaction: JoinedTransaction | undefined,
  ): Promise<void> {
    const { store } = this;
    const unique = firstOfEachId(messages);
    for (const message of messages) this.#staged.set(message, null);
    // SQLite alone joins the caller's open transaction. If it is rolled back, the messages are inserted again.
    const joinable = transaction === undefined ? store.database.callersTransaction : undefined;
    const inserting = transaction ?? joinable;
    const inserted =
      inserting === undefined
        ? await this.#insert(unique)
        : await store.messages.insertWith(inserting, unique, this.#newLease(inserting));
    let joined: Promise<void> | null = null;
    if (joinable !== undefined) {
      joined = this.#afterTransaction(unique, inserted);
      joined.catch(() => undefined);
    }
    this.#remember(unique, inserted, joined);
  }

  #remember(
    messages: readonly Message[],
    { known, token, leasedUntil }: Inserted,
    joined: Promise<void> | null,
  ): void {
    for (const message of messages) {
      if (known.has(message.id)) continue;
      this.#staged.set(message, { token, leasedUntil, joined });
    }
  }

  /**
   * Forgets a staged message.
   *
   * @returns null when another message of its id was there before
   */
  release(message: Message): Staged | null {
    const staged = this.#staged.get(message);
    if (staged === undefined) {
      throw new ThornConfigurationError(
        'THORN_MESSAGE_NOT_STAGED',
        `${message.id} was released without having been staged`,
      );
    }
    this.#staged.delete(message);
    return staged;
  }

  /** Deletes the rows of staged messages. */
  async discard(messages: readonly Message[]): Promise<void> {
    const held: Lease[] = [];
    for (const message of messages) {
      const staged = this.#staged.get(message);
      if (staged === undefined || staged === null) continue;
      this.#staged.delete(message);
      held.push({ id: message.id, token: staged.token });
    }
    if (held.length > 0) await this.store.messages.remove(held);
  }

  /** Writes messages that belong to no transaction, together with those of other callers. */
  async #insert(messages: readonly Message[]): Promise<Inserted> {
    const inserted = await this.#batcher.add(messages);
    if (inserted !== null) return inserted;
    // Nothing was written, and no caller was told otherwise.
    throw new OutboxLockedError(this.lockTimeout);
  }

  /** A new token each time, by which an INSERT tells whether a message was stored before, even by this process. */
  #newLease(transaction?: JoinedTransaction): NewLease {
    const isTold = transaction === undefined || transaction.client.commits === 'told';
    // If this process dies after a commit that it has not seen, other processes can claim the message soon.
    const leaseFor = isTold ? this.leaseFor : Math.min(this.leaseFor, this.unseenFor);
    return { token: randomUUID(), leasedUntil: this.clock.now() + leaseFor };
  }

  async #afterTransaction(
    messages: readonly Message[],
    { known, ...lease }: Inserted,
  ): Promise<void> {
    const { store } = this;
    const own = messages.filter(({ id }) => !known.has(id));
    const stored = await store.messages.stored(own.map(({ id }) => id));
    const lost = own.filter(({ id }) => !stored.has(id));
    if (lost.length === 0) return;
    await store.messages.insert(lost, lease, (steps) => store.database.execute(steps));
  }
}

function firstOfEachId(messages: readonly Message[]): readonly Message[] {
  const firsts = new Map<string, Message>();
  for (const message of messages) if (!firsts.has(message.id)) firsts.set(message.id, message);
  return firsts.size === messages.length ? messages : [...firsts.values()];
}

/** Thrown when a message that belongs to no transaction could not be stored, because SQLite was locked by one. */
export class OutboxLockedError extends ThornError {
  readonly code = 'THORN_OUTBOX_LOCKED';

  /** @param timeout milliseconds */
  constructor(timeout: number) {
    super(
      `Nothing was stored: another transaction has held the database for ${timeout} ms. Keep transactions short, raise queryTimeout in outbox({ … }), or send within the transaction: with { tx } or, after startTransaction() of TypeORM, with { manager: queryRunner.manager }`,
      { timeout },
    );
  }
}
