import { FaultLog } from '../../common/index.js';
import type { SqlStore } from '../../database/sql-store.js';
import {
  CursorExpiredError,
  type EventStore,
  type HistoryPlace,
  type StoredEvent,
  type StoredEvents,
} from '../../dispatch/index.js';
import { ThornConfigurationError } from '../../errors/index.js';
import type { Audience } from '../../message/index.js';
import type { CheckedOutboxOptions } from '../outbox-options.js';
import { DAY } from '../retention/retention-pass.js';
import type { MessageRowMapper } from '../tables/message-row-mapper.js';
import type { MessageTable } from '../tables/message-table.js';
import { FIRST_KEY, idFrom } from '../tables/keys.js';
import {
  type HistoryRow,
  selectHistory,
  selectHistoryEnd,
  selectHorizon,
  selectPlaces,
} from '../tables/messages.js';
import type { TableNames, Target } from '../tables/table-names.js';

/** The history of events in one database. */
export class HistoryTable implements EventStore {
  readonly keptFor: number;
  readonly #faults = new FaultLog();
  readonly #target: Target;

  /** @param lag milliseconds that a message has to be old, on MySQL and MariaDB */
  constructor(
    private readonly database: SqlStore,
    tables: TableNames,
    private readonly messages: MessageTable,
    private readonly rows: MessageRowMapper,
    { retentionDays, payloadDays }: CheckedOutboxOptions,
    private readonly lag: number,
  ) {
    this.keptFor = Math.floor(Math.min(retentionDays, payloadDays) * DAY);
    this.#target = { dialect: database.dialect, tables };
  }

  /**
   * Reads messages behind a place.
   *
   * @param after null: from the first one on
   * @throws `CursorExpiredError` for a place in another PostgreSQL cluster, such as one that a dump was restored from
   */
  async read(after: HistoryPlace | null, limit: number): Promise<StoredEvents> {
    this.#checkIsOutside();
    const { name } = this.database.dialect;
    const start = after ?? { position: 0, key: FIRST_KEY };
    const horizon = await this.#positionOf(selectHorizon(this.#target, this.lag));
    if (name === 'postgres' && start.position > horizon) throw new CursorExpiredError();
    // On MySQL and MariaDB also the messages of transactions that are open.
    const written =
      name === 'mysql'
        ? await this.database.peek(selectPlaces(this.#target, start, horizon, limit))
        : null;
    const found = await this.database.run(selectHistory(this.#target, start, horizon, limit));
    const events = found.rows.map(storedEvent);
    if (written !== null) {
      return untilOpen(events, written.rows.map(placeOf), start, horizon, limit);
    }
    // Not at the horizon: when PostgreSQL crashes, it gives the numbers of the last rollbacks to other transactions.
    return { events, end: events.at(-1) ?? start, isLast: events.length < limit };
  }

  /** The place behind everything that is committed. */
  async end(): Promise<HistoryPlace> {
    this.#checkIsOutside();
    const position = await this.#positionOf(selectHistoryEnd(this.#target, this.lag));
    return { position, key: FIRST_KEY };
  }

  async #positionOf(statement: ReturnType<typeof selectHorizon>): Promise<number> {
    const { rows } = await this.database.run(statement);
    return Number(rows[0]!.horizon);
  }

  async bodies(ids: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    const bodies = new Map<string, Buffer>();
    for (const row of await this.messages.load(ids)) {
      try {
        // The subscribers of the message alone may be sealed with a key that is gone, and are not needed.
        const message = this.rows.messageOf({ ...row, recipients: '[]' });
        if (message !== null) bodies.set(message.id, message.json);
      } catch (error) {
        // A row that was damaged does not end the history before it.
        this.#faults.report('Reading a message of the history failed', error);
      }
    }
    return bodies;
  }

  #checkIsOutside(): void {
    if (this.database.callersTransaction === undefined) return;
    throw new ThornConfigurationError(
      'THORN_HISTORY_IN_TRANSACTION',
      'On SQLite the history cannot be read within a transaction, whose end it would wait for. Read it before the transaction, or after it.',
    );
  }
}

/** Ends before the first message that is written and not committed. @param written in their order, committed or not */
function untilOpen(
  events: readonly StoredEvent[],
  written: readonly HistoryPlace[],
  start: HistoryPlace,
  horizon: number,
  limit: number,
): StoredEvents {
  const committed = new Set(events.map(({ key }) => key));
  const open = written.find(({ key }) => !committed.has(key));
  if (open !== undefined) {
    const before = events.filter(({ position }) => position < open.position);
    return { events: before, end: endBefore(open.position, start), isLast: true };
  }
  if (written.length < limit) return { events, end: endBefore(horizon, start), isLast: true };
  // Events behind the last one were not looked at.
  const end = written.at(-1)!;
  const before = events.slice(0, events.findIndex(({ key }) => key === end.key) + 1);
  return { events: before, end, isLast: false };
}

/** A clock that was set back does not lead a reader back. */
function endBefore(horizon: number, start: HistoryPlace): HistoryPlace {
  return horizon > start.position ? { position: horizon, key: FIRST_KEY } : start;
}

function placeOf(row: Pick<HistoryRow, 'position' | 'id'>): HistoryPlace {
  return { position: Number(row.position), key: row.id };
}

function storedEvent(row: HistoryRow): StoredEvent {
  return {
    ...placeOf(row),
    id: idFrom('msg_', row.id, row.given_id),
    event: row.event,
    time: Number(row.time),
    owner: row.owner,
    audience: row.audience as Audience,
    isExpunged: Number(row.is_expunged) === 1,
  };
}
