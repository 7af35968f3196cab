import type { FactoryProvider, Type } from '@nestjs/common';
import type { JoinedTransaction } from '../../database/sql-client.js';
import type { Attempt } from '../../delivery/attempt/attempt.js';
import type { Message } from '../../message/message.js';
import type { EventStore } from './stored-events.js';

/** The result of a strategy for one released message. */
export interface Release {
  /** Id of the message. */
  readonly message: string;
  /**
   * `delivered`: every delivery was attempted in this call, see `attempts`. `accepted`: the strategy has taken it over
   * and delivers later. `discarded`: nothing will be sent. `duplicate`: a message of this id was there before, and nothing
   * was done.
   */
  readonly state: 'delivered' | 'accepted' | 'discarded' | 'duplicate';
  /** One per subscriber, when the strategy delivers in this call; else empty. */
  readonly attempts: readonly Attempt[];
}

/**
 * Where and when deliveries are made.
 *
 * Pluggable: this class is the injection token. `ThornModule.forRoot({ dispatch })` takes `outbox()`, `inline()`, `disabled()`, or
 * a class of one's own that Nest constructs with its dependencies. Any implementation must pass
 * `dispatchStrategyConformance`.
 *
 * @example
 * ```ts
 * @Injectable()
 * class LoggingStrategy extends DispatchStrategy {
 *   async stage() {}
 *   async release(messages: readonly Message[]) {
 *     return messages.map(({ id }) => ({ message: id, state: 'accepted' as const, attempts: [] }));
 *   }
 * }
 * ```
 */
export abstract class DispatchStrategy {
  /** The strategy's name in the line at start-up, such as `outbox() with a worker`. Default: the name of its class. */
  label?(): string;

  /** False when this process only stores messages, and leaves all further work to others. Default true. */
  isWorker?(): boolean;

  /** Days for which the strategy keeps its delivery log: changes of subscribers are kept as long. Default 30. */
  logDays?(): number;

  /**
   * True: messages that nobody would get are neither made nor staged, unless they are to be kept. Default false: the
   * strategy gets every message.
   */
  leavesOutUnheard?(): boolean;

  /** The stored messages in the order of commits; undefined, and left out by strategies that keep none. */
  eventStore?(): EventStore | undefined;

  /**
   * Called once before the caller's transaction commits, with everything that it has collected: a durable strategy
   * writes its rows here. What it throws rolls the transaction back. Without a transaction `transaction` is undefined and
   * the call directly precedes {@link release}.
   *
   * A staged message whose transaction fails to commit is never released.
   *
   * @returns a promise that resolves once the messages are stored; nothing if they are stored when the method returns
   */
  abstract stage(
    messages: readonly Message[],
    transaction: JoinedTransaction | undefined,
  ): Promise<void> | void;

  /**
   * Called once after the outermost transaction has committed. Failing here must lose nothing that was staged
   * durably: the rows are found again.
   *
   * @returns one entry a message, in the order given
   */
  abstract release(messages: readonly Message[]): Promise<readonly Release[]>;

  /**
   * Called instead of {@link release} for messages that were staged in a transaction whose commit nobody tells of: the
   * strategy looks it up, and releases them by itself. Left out by strategies that cannot: they refuse such transactions.
   */
  releaseOnCommit?(messages: readonly Message[], transaction: JoinedTransaction): void;

  /**
   * Called after the commit of each transaction that this process knows of, also of those without messages. `outbox()` then looks
   * for changes that triggers have written down. Default: does nothing.
   */
  committed?(): void;

  /**
   * Called instead of {@link release} for staged messages whose buffer scope ended with a throw. A durable strategy
   * removes its rows here; the default has nothing to remove.
   */
  async discard(_messages: readonly Message[]): Promise<void> {}
}

/** A strategy together with its settings, as `inline()` and `disabled()` answer it. */
export interface StrategyDefinition extends Pick<
  FactoryProvider<DispatchStrategy>,
  'inject' | 'useFactory'
> {
  /** Controllers that bring messages to it, which become those of `ThornModule`. Default: none. */
  readonly controllers?: readonly Type<object>[];
  /** False: it stores no messages, so that subscribers cannot have `thin`. Default true. */
  readonly keepsMessages?: boolean;
}

/** The value of the option `dispatch`: a built-in strategy, or a class that Nest constructs with its dependencies. */
export type DispatchSetting = StrategyDefinition | Type<DispatchStrategy>;
