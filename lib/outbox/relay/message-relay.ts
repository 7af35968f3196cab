import type { Message } from '../../message/index.js';

/**
 * Says where a stored message is, as plain JSON, without its contents. A worker has to take over the lease before it
 * delivers the message; a ticket that arrives late, or twice, carries a lease that no longer fits.
 */
export interface Ticket {
  /** Id of the message. */
  readonly id: string;
  /** The token of the lease that is on its row. */
  readonly lease: string;
}

/** The worker that a {@link MessageRelay} brings tickets to. */
export abstract class RelayWorker {
  /**
   * Delivers messages. Resolves once their first attempts are recorded, and after one second at the latest; deliveries
   * that are not finished by then continue in the background.
   *
   * @param isRepeated whether another worker may have been given the tickets before
   * @throws the error of the database; workers find the messages there again
   */
  abstract work(tickets: readonly Ticket[], isRepeated: boolean): Promise<void>;
}

/**
 * Carries tickets from the process that stored the messages to one that delivers them. A relay may lose tickets, bring
 * them late or bring them twice: the messages are in the database, and workers find there what the relay did not bring,
 * once the lease has expired.
 */
export abstract class MessageRelay {
  /** The relay's name in the line at start-up, such as `bullmq()`. Default: the name of its class. */
  label?(): string;

  /** True when this process gives messages to the relay. Otherwise it delivers the messages that it stores itself. */
  abstract readonly carries: boolean;

  /**
   * Starts bringing tickets to the worker. Called once, when the application has started.
   *
   * @param worker null when this process does not deliver
   */
  abstract start(worker: RelayWorker | null): Promise<void> | void;

  /**
   * Takes tickets of messages that were released together. Must not take long: give the call a timeout of its own.
   *
   * @returns the tickets that the relay could not take; their messages are left to the database
   */
  abstract carry(
    messages: readonly Message[],
    tickets: readonly Ticket[],
  ): Promise<readonly Ticket[]>;

  /** Rejects when the queue cannot be reached, for health checks. By default it resolves. */
  async check(): Promise<void> {}

  /** Stops bringing tickets to the worker. */
  abstract pause(): Promise<void> | void;

  /**
   * Closes the relay, after the tickets that {@link carry} was given before are sent or refused. It may be called twice, and
   * while {@link start} is still under way: when the application stops as it starts.
   */
  abstract close(): Promise<void>;
}
