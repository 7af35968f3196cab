import type { SqlStore } from '../../database/sql-store.js';
import { type DeliverySummary, summarizeDeliveries } from '../tables/delivery-log.js';
import { idFrom, type MessageCursor, rangesOf, withMessageId } from '../tables/keys.js';
import { selectOldMessages } from '../tables/messages.js';
import type { TableNames, Target } from '../tables/table-names.js';

/**
 * Deliveries that a statement goes through. Enough for 200 messages to 15 subscribers each; 30 ms of SQLite, which blocks
 * the event loop.
 */
export const MOST_DELIVERIES = 3000;

/** One row more tells that there may be others. */
export const MORE_THAN_MOST = MOST_DELIVERIES + 1;

/** A message, as retention sees it. */
export interface MessageState extends MessageCursor {
  readonly hasBody: boolean;
  /** True when an endpoint's answer to it is stored. */
  readonly hasResponses: boolean;
  /** The time at which its last delivery was finished, at the earliest the send time; null while one is unfinished. */
  readonly finishedAt: number | null;
}

/** Old messages, oldest first. */
export interface MessagePage {
  readonly messages: readonly MessageState[];
  /** False when there may be more behind them. */
  readonly isLast: boolean;
}

type OldMessage = MessageCursor & { readonly hasBody: boolean; readonly isOpen: boolean };

/** Reads how far old messages are, a page at a time. A page ends early where messages have many deliveries. */
export class MessageStates {
  readonly #target: Target;

  constructor(
    private readonly database: SqlStore,
    tables: TableNames,
  ) {
    this.#target = { dialect: database.dialect, tables };
  }

  /** Reads the messages behind a position. */
  async page(after: MessageCursor, before: number, limit: number): Promise<MessagePage> {
    const { rows } = await this.database.run(selectOldMessages(this.#target, after, before, limit));
    const messages = await this.#states(
      rows.map((row) => ({
        id: withMessageId(row).id,
        time: Number(row.time),
        hasBody: Number(row.has_body) === 1,
        isOpen: Number(row.is_open) === 1,
      })),
    );
    return { messages, isLast: rows.length < limit && messages.length === rows.length };
  }

  /** The states of the first messages, of all when their deliveries are few. */
  async #states(messages: readonly OldMessage[]): Promise<readonly MessageState[]> {
    const states: MessageState[] = [];
    for (const set of rangesOf(messages)) {
      const first = await this.#firstOf(set);
      states.push(...first);
      if (first.length < set.length) break;
    }
    return states;
  }

  /** The states of the first messages of a set: of as many as have {@link MOST_DELIVERIES} together, or of one. */
  async #firstOf(messages: readonly OldMessage[]): Promise<readonly MessageState[]> {
    const { rows: summaries } = await this.database.run(
      summarizeDeliveries(this.#target, messages, MORE_THAN_MOST),
    );
    const total = summaries.reduce((count, row) => count + Number(row.deliveries), 0);
    if (messages.length > 1 && total > MOST_DELIVERIES) {
      // As many as were found, if the database has gone through them one by one; half of them if not.
      const fitting = Math.min(summaries.length - 1, Math.floor(messages.length / 2));
      return this.#firstOf(messages.slice(0, Math.max(1, fitting)));
    }
    const deliveries = new Map(
      summaries.map((row) => [idFrom('msg_', row.message_id, row.given_message_id), row]),
    );
    return messages.map((message) => stateOf(message, deliveries.get(message.id)));
  }
}

function stateOf(
  { time, id, hasBody, isOpen: isPending }: OldMessage,
  deliveries: DeliverySummary | undefined,
): MessageState {
  const isOpen = isPending || Number(deliveries?.is_open ?? 0) === 1;
  return {
    time,
    id,
    hasBody,
    hasResponses: Number(deliveries?.has_responses ?? 0) === 1,
    finishedAt: isOpen ? null : Math.max(time, Number(deliveries?.finished_at ?? 0)),
  };
}
