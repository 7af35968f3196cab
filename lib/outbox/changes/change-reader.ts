import { randomUUID } from 'node:crypto';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { ReportedTables } from '../../capture/index.js';
import { type Clock, errorText, FaultLog } from '../../common/index.js';
import { databaseCode } from '../../database/database-errors.js';
import { OutboxTimeoutError } from '../../database/errors.js';
import type { Result, Step } from '../../database/sql-client.js';
import { ThornError } from '../../errors/index.js';
import type { Message } from '../../message/index.js';
import type { WakeSignal } from '../../common/waiting.js';
import type { NewLease } from '../tables/leases.js';
import { MOST_HELD_TO_CLAIM, type OutboxStore, type StagedMessage } from '../store/outbox-store.js';
import { ChangeLease, ChangeLeaseLostError } from './change-lease.js';
import type { ChangeTable } from './change-table.js';
import {
  changesOf,
  type ChangeUnit,
  inOrder,
  reportedChanges,
  type StoredChange,
  unitsOf,
} from './change-units.js';
import type { HeardTables } from './heard-tables.js';

const SHORTEST_WAIT = 4;
const LONGEST_BACKOFF = 30_000;
const SWEEP_EVERY = 60_000;
/** Milliseconds until the reader looks again, while another process or a transaction of a writer keeps it from reading. */
const LOOK_AGAIN = 2000;
/** How often the reader tries changes again whose messages the database refuses. */
const MOST_TRIES = 5;

/** The tables that a reader reads, and the parts that make messages of their changes. */
export interface ChangeSource {
  readonly reported: ReportedTables;
  readonly changes: ChangeTable;
  readonly heard: HeardTables;
}

/** Dependencies of a {@link ChangeReader}. */
export interface ChangeReading {
  readonly clock: Clock;
  /** Wakes the reader: there may be changes. */
  readonly commits: WakeSignal;
  /** Milliseconds until the next look, after a look that found nothing. */
  readonly pollInterval: number;
  /** Milliseconds until another process may take over from a reader that has died. */
  readonly lease: number;
  /** Delivers messages that are committed. */
  accept(messages: readonly StagedMessage[]): void;
}

/**
 * Makes messages of the changes that triggers have written down in one database. One process at a time does so, under
 * a lease: messages are stored, and their changes removed, in one transaction that the holder alone can commit.
 */
export class ChangeReader {
  readonly #logger = new Logger('Thorn');
  readonly #faults = new FaultLog();
  readonly #lease: ChangeLease;
  readonly #tables: ReadonlyMap<string, ReportedTables['tables'][number]>;
  readonly #warnedOf = new Set<string>();
  /** How often a unit has failed because of the database, by the id of its first change. */
  readonly #tries = new Map<string, number>();
  /** By `performance.now()`. */
  #sweepAt = performance.now() + SWEEP_EVERY;
  #failures = 0;
  #isStopped = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: OutboxStore,
    private readonly from: ChangeSource,
    private readonly reading: ChangeReading,
  ) {
    this.#lease = new ChangeLease(store.database, reading.clock, reading.lease);
    this.#tables = new Map(from.reported.tables.map((table) => [table.name, table]));
  }

  start(): void {
    this.#ended = this.#run();
  }

  /** Resolves when the reader has stopped, and has given up its lease. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.reading.commits.wake();
    return this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const { commits } = this.reading;
      const seen = commits.count;
      const wait = await this.#look();
      if (wait <= 0 || this.#isStopped) {
        await setImmediate();
        continue;
      }
      const looked = performance.now();
      if (commits.count === seen) await commits.sleep(wait);
      // With hundreds of commits a second, one look serves many of them.
      const early = SHORTEST_WAIT - (performance.now() - looked);
      if (early > 0 && !this.#isStopped) await sleep(early);
    }
    await this.#lease.giveBack().catch((error: unknown) => {
      this.#faults.report('Giving back the lease of changes failed, it runs out by itself', error);
    });
  }

  /** @returns the milliseconds to sleep */
  async #look(): Promise<number> {
    const { pollInterval } = this.reading;
    try {
      if (await this.#isBehind()) return LOOK_AGAIN;
      if (!(await this.#lease.hold())) return pollInterval;
      await this.#sweep();
      const oldest = await this.from.changes.oldest();
      if (oldest.length > 0) {
        // After the changes are read, so that a subscriber that was stored before one of them committed is known.
        await this.from.heard.freshen();
        if (this.from.heard.foreignEvent !== undefined) return 0;
        await this.#send(oldest);
      }
      this.#failures = 0;
      // SQLite gives an id again once there are no changes left.
      this.#tries.clear();
      return oldest.length > 0 ? 0 : pollInterval;
    } catch (error) {
      if (this.#isStopped || error instanceof ChangeLeaseLostError) return 0;
      const wait = Math.min(LONGEST_BACKOFF, pollInterval * 2 ** this.#failures++);
      this.#faults.report(`Reading changes of tables failed, again in ${wait} ms`, error);
      return wait;
    }
  }

  /** Leaves the lease to a newer version of the application that runs as well and declares more events. */
  async #isBehind(): Promise<boolean> {
    const { heard } = this.from;
    if (heard.foreignEvent === undefined) return false;
    await this.#lease.giveBack();
    await heard.freshen();
    const event = heard.foreignEvent;
    if (event === undefined) return false;
    if (!this.#warnedOf.has(event)) {
      this.#warnedOf.add(event);
      this.#logger.warn(
        `Another process declares the event ${event} on a table, and this one does not, so this one leaves the changes of ` +
          'tables to it. That is usual while a new version of the application is started. Declare the same events on a ' +
          'table in all processes.',
      );
    }
    return true;
  }

  /** Halves a set of changes that fails, until the changes of the row that is at fault stand alone. Keeps their order. */
  async #send(changes: readonly StoredChange[]): Promise<void> {
    if (this.#isStopped) return;
    const { reported } = this.from;
    try {
      const read = inOrder(changes, this.#tables).flatMap((one) =>
        reportedChanges(one, this.#tables.get(one.table)!, reported.columnsOf(one.table)),
      );
      const messages = await reported.messagesOf(read);
      await this.#store(messages, [this.from.changes.removal(changes)]);
    } catch (error) {
      if (this.#isStopped || error instanceof ChangeLeaseLostError) throw error;
      const units = unitsOf(changes, this.#tables);
      if (units.length === 1) return this.#failed(units[0]!, error);
      const middle = units.length >> 1;
      await this.#send(changesOf(units.slice(0, middle)));
      await this.#send(changesOf(units.slice(middle)));
    }
  }

  async #failed(unit: ChangeUnit, error: unknown): Promise<void> {
    const { id, table } = unit[0]!;
    const tries = (this.#tries.get(id) ?? 0) + 1;
    if (!isOfRow(error) && tries < MOST_TRIES) {
      this.#tries.set(id, tries);
      throw error;
    }
    this.#tries.delete(id);
    this.#faults.report(
      `No message can be made of a change of ${table}. It is kept in thorn_changes, with its fault, until Maintenance.retryChanges()`,
      error,
    );
    const failure = this.from.changes.failure(unit, errorText(error), this.reading.clock.now());
    await this.store.database.execute([...this.#lease.fence(), failure]);
    this.#failures = 0;
  }

  /** Stores messages in one transaction, which begins with the statements that renew the lease. */
  async #store(messages: readonly Message[], steps: readonly Step[]): Promise<void> {
    const { clock, lease: leaseFor, accept } = this.reading;
    const hasRoom = this.store.heldMessages.size < MOST_HELD_TO_CLAIM;
    // If this process has enough to do, other processes may claim the messages at once.
    const leasedUntil = clock.now() + (hasRoom ? leaseFor : 0);
    const lease: NewLease = { token: randomUUID(), leasedUntil };
    const before = [...this.#lease.fence(), ...steps];
    const execute = async (insertions: readonly Step[]): Promise<readonly Result[]> => {
      const results = await this.store.database.execute([...before, ...insertions]);
      return results.slice(before.length);
    };
    if (messages.length === 0) await execute([]);
    else await this.store.messages.insert(messages, lease, execute);
    if (hasRoom) accept(messages.map((message) => ({ message, ...lease, joined: null })));
  }

  /** Now and then: lets triggers write nothing for events without subscribers, and warns of changes that no process reads. */
  async #sweep(): Promise<void> {
    if (performance.now() < this.#sweepAt) return;
    this.#sweepAt = performance.now() + SWEEP_EVERY;
    for (const table of await this.from.changes.unknown()) {
      if (this.#warnedOf.has(table)) continue;
      this.#warnedOf.add(table);
      this.#logger.warn(
        `thorn_changes has changes of ${table}, and this process declares no events of that table: they wait for a worker ` +
          'that does. Declare its events here as well, or drop its triggers and delete the changes.',
      );
    }
    if (!(await this.from.heard.silence())) this.#sweepAt = performance.now() + LOOK_AGAIN;
  }
}

/** Tells whether the row or the payload of the application is at fault, and not the database or its schema. */
function isOfRow(error: unknown): boolean {
  if (error instanceof OutboxTimeoutError) return false;
  const code = databaseCode(error);
  // Class 22 of the states of SQL: data exceptions.
  return code === undefined || error instanceof ThornError || code.startsWith('22');
}
