import { randomUUID } from 'node:crypto';
import type { Clock } from '../../common/index.js';
import type { Codecs, Message } from '../../message/index.js';
import type { MessageScheduler } from '../worker/message-scheduler.js';
import type { StagedMessage } from '../store/staged-message.js';
import { Batcher } from './batcher.js';
import type { Lease } from '../tables/leases.js';
import { messageFrom } from './message-contents.js';
import type { Ticket } from './message-relay.js';
import type { Row } from '../database/outbox-database.js';
import type { OutboxStore } from '../store/outbox-store.js';
import { tableNames } from '../entities/table-names.js';
import { takeOver } from '../tables/message-table.js';

const LONGEST_WAIT = 1000;
const TAKE_AT_MOST = 500;
const MOST_HELD = 5000;

/** What a {@link TicketReceiver} works with. */
export interface RelayDeskTools {
  readonly desk: MessageScheduler;
  readonly codecs: Codecs;
  readonly clock: Clock;
  /** Milliseconds. */
  readonly lease: number;
}

/** A message that has come along with its ticket. */
interface Carried {
  readonly id: string;
  readonly lease: string;
  readonly message: Message;
}

/**
 * What a relay brings for one data source. Leases are taken over, and messages stored, in sets: one statement at a time,
 * for all that have come meanwhile.
 */
export class TicketReceiver {
  readonly #table: string;
  readonly #waiting = new Map<string, () => void>();
  readonly #forRoom: (() => void)[] = [];
  readonly #bare = new Batcher<Ticket>((set) => this.#takeOver(set), TAKE_AT_MOST);
  readonly #carried = new Batcher<Carried>((set) => this.#takeOverCarried(set), TAKE_AT_MOST);
  readonly #unstored = new Batcher<Carried>((set) => this.#storeContents(set), TAKE_AT_MOST);
  // Something in it may be what the database refuses, and the others have nothing to do with that.
  readonly #alone = new Batcher<Carried>((set) => this.#storeContents(set), 1);

  constructor(
    private readonly store: OutboxStore,
    private readonly tools: RelayDeskTools,
  ) {
    this.#table = tableNames(store.dataSource).messages;
  }

  /** Messages that are through, or lost. */
  finished(messages: readonly Lease[]): void {
    for (const { id } of messages) this.#waiting.get(id)?.();
    while (this.#forRoom.length > 0 && this.store.heldMessages.size < MOST_HELD) {
      this.#forRoom.shift()!();
    }
  }

  /** Delivers a message whose lease this process has already. */
  async deliver({ message, lease, leasedUntil }: StagedMessage): Promise<void> {
    await this.#room();
    const settled = this.#settled(message.id);
    await this.tools.desk.schedule(this.store, message, lease, leasedUntil);
    await settled;
  }

  /**
   * Takes a message over, or stores it, and delivers it; does nothing when somebody else has it.
   *
   * @param isRepeated whether it may have been here, or elsewhere, before
   */
  async deliverTaken(ticket: Ticket, isRepeated: boolean): Promise<void> {
    await this.#room();
    const settled = this.#settled(ticket.id);
    let isTaken = false;
    try {
      isTaken = await this.#take(ticket, isRepeated);
    } finally {
      if (!isTaken) this.#waiting.get(ticket.id)?.();
    }
    await settled;
  }

  #take(ticket: Ticket, isRepeated: boolean): Promise<boolean> {
    const { id, lease, contents } = ticket;
    if (ticket.isStored === false) {
      const carried = { id, lease, message: messageFrom(id, contents, this.tools.codecs) };
      return (isRepeated ? this.#alone : this.#unstored).add(carried);
    }
    const message = this.#carriedBy(ticket);
    return message === null ? this.#bare.add(ticket) : this.#carried.add({ id, lease, message });
  }

  /** What nobody here can read is in the database all the same. */
  #carriedBy({ id, contents }: Ticket): Message | null {
    if (contents === undefined) return null;
    try {
      return messageFrom(id, contents, this.tools.codecs);
    } catch {
      return null;
    }
  }

  /** Resolves when the message is through, and after a second anyway. */
  #settled(id: string): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        if (this.#waiting.get(id) === done) this.#waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(done, LONGEST_WAIT);
      this.#waiting.set(id, done);
    });
  }

  /** Whoever brings more than this process can hold has to wait. */
  async #room(): Promise<void> {
    if (this.store.heldMessages.size < MOST_HELD) return;
    await new Promise<void>((resolve) => this.#forRoom.push(resolve));
  }

  async #takeOver(tickets: readonly Ticket[]): Promise<ReadonlySet<unknown>> {
    const { token, until, rows } = await this.#leased(tickets.map(leaseOf), 'everything');
    if (rows.length > 0) await this.tools.desk.resume(this.store, rows, token, until);
    return idsOf(rows);
  }

  async #takeOverCarried(set: readonly Carried[]): Promise<ReadonlySet<unknown>> {
    const { token, until, rows } = await this.#leased(set.map(leaseOf), 'id');
    const taken = idsOf(rows);
    const messages = firstsOf(set).filter(({ id }) => taken.has(id));
    if (messages.length > 0) {
      await this.tools.desk.resumeKnown(this.store, messages, token, until);
    }
    return taken;
  }

  /** What is there already is somebody else's: a worker's that died over it, or a sender's that could not wait. */
  async #storeContents(set: readonly Carried[]): Promise<ReadonlySet<unknown>> {
    const { desk } = this.tools;
    const { token, until } = this.#token();
    const messages = firstsOf(set);
    const stored = await this.store.messages.insert(messages, token, until);
    const own = messages.filter(({ id }) => stored.has(id));
    await Promise.all(own.map((message) => desk.schedule(this.store, message, token, until)));
    return stored;
  }

  async #leased(
    held: readonly Lease[],
    answer: 'id' | 'everything',
  ): Promise<{ readonly token: string; readonly until: number; readonly rows: readonly Row[] }> {
    const { token, until } = this.#token();
    const { database } = this.store;
    const rows = await takeOver(database, this.#table, held, token, until, answer);
    return { token, until, rows };
  }

  #token(): { readonly token: string; readonly until: number } {
    const { clock, lease } = this.tools;
    return { token: randomUUID(), until: clock.now() + lease };
  }
}

function idsOf(rows: readonly Row[]): ReadonlySet<unknown> {
  return new Set(rows.map(({ id }) => id));
}

/** A queue may bring the same twice. */
function firstsOf(set: readonly Carried[]): readonly Message[] {
  const messages = new Map<string, Message>();
  for (const { id, message } of set) if (!messages.has(id)) messages.set(id, message);
  return [...messages.values()];
}

function leaseOf({ id, lease }: Pick<Ticket, 'id' | 'lease'>): Lease {
  return { id, token: lease };
}
