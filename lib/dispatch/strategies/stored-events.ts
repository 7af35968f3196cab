import type { Audience } from '../../message/message.js';

/** A place in the order of stored messages: behind the message of that position and key. */
export interface HistoryPlace {
  readonly position: number;
  /** Tells messages of the same position apart. */
  readonly key: string;
}

/** A stored message without its body. */
export interface StoredEvent extends HistoryPlace {
  readonly id: string;
  readonly event: string;
  /** When it was sent, in milliseconds since the Unix epoch. */
  readonly time: number;
  readonly owner: string | null;
  readonly audience: Audience;
  /** True when the body was dropped. */
  readonly isExpunged: boolean;
}

/** Some stored messages, in their order. */
export interface StoredEvents {
  readonly events: readonly StoredEvent[];
  /** Behind everything that was read. What is committed later comes behind it. */
  readonly end: HistoryPlace;
  /** True when everything that is committed was read. */
  readonly isLast: boolean;
}

/** The messages that a strategy keeps, in an order in which none is committed before a place that was read. */
export interface EventStore {
  /** Milliseconds for which every message is kept with its body. */
  readonly keptFor: number;
  /** Reads messages behind a place; null: from the first one on. */
  read(after: HistoryPlace | null, limit: number): Promise<StoredEvents>;
  /** The place behind everything that is committed. */
  end(): Promise<HistoryPlace>;
  /** The bodies of messages as JSON, by id, as far as they are there. */
  bodies(ids: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
}
