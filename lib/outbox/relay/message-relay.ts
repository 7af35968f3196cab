import type { Message } from '../../message/index.js';
import type { MessageContents } from './message-contents.js';
import type { RateLimiter } from '../rate-limit/rate-limiter.js';

/**
 * What says where a stored message is, and that it is still free: plain JSON, without a word of its contents unless the
 * relay adds them. Who is handed one has to show the lease before it delivers; one that comes late, or twice, finds that
 * it no longer fits.
 */
export interface Ticket {
  /** Id of the message. */
  readonly id: string;
  /** The place of its data source in the option `dataSources`. */
  readonly source: number;
  /** The token that was written to its row. */
  readonly lease: string;
  /**
   * What the message says, so that nobody need read it: a relay may add what {@link contentsOf} gives, when
   * {@link mayBeCarried} allows it.
   */
  readonly contents?: MessageContents;
  /** False: the message is in no database yet, and its contents come along; the worker stores it before it delivers. */
  readonly isStored?: boolean;
}

/** What a {@link MessageRelay} gives messages to. */
export abstract class RelayWorker {
  /**
   * Delivers messages. Resolves once their first attempts are written down, and after a second at the latest: what is
   * not finished by then goes on without whoever has brought it.
   *
   * @param isRepeated whether they may have been handed to somebody before, who has not come back
   * @throws what the database throws. Stored messages are found there again; what is not stored has to be brought again.
   */
  abstract work(tickets: readonly Ticket[], isRepeated: boolean): Promise<void>;
}

/**
 * Carries stored messages from the process that has stored them to one that delivers. It may lose them, bring them late
 * or bring them twice: the database is the truth, and what a relay does not bring is found there once its lease has run
 * out.
 */
export abstract class MessageRelay {
  /** Whether this process gives messages to it. Otherwise it delivers what it stores itself. */
  abstract readonly carries: boolean;

  /**
   * Whether a message need not be stored in the transaction that it belongs to: it is given to {@link carry} after the
   * commit, and a worker stores it. What is lost between the two is lost. Not asked of messages that may have secrets.
   * Default: no.
   */
  carriesUnstored(_message: Message): boolean {
    return false;
  }

  /** Once, when the application has started: brings messages from now on, unless there is no worker. */
  abstract start(worker: RelayWorker | null): Promise<void> | void;

  /**
   * Takes messages that were released together. Must not take long: whatever has a limit of its own is bound by it.
   *
   * @returns those that it could not take: they are left to the database
   */
  abstract carry(
    messages: readonly Message[],
    tickets: readonly Ticket[],
  ): Promise<readonly Ticket[]>;

  /** For health checks. Rejects when the queue cannot be reached; the default has none. */
  async check(): Promise<void> {}

  /**
   * What gives turns to attempts at subscribers with a limit, for all processes; may be one that asks the database in
   * time of need. The default is the database.
   *
   * @internal
   */
  rateLimiter(database: RateLimiter): RateLimiter {
    return database;
  }

  /** Brings nothing new any more. */
  abstract pause(): Promise<void> | void;

  /** Ends; what {@link carry} was given before is sent on, or refused. */
  abstract close(): Promise<void>;
}
