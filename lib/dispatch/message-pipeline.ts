import { Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Message } from '../message/message.js';
import type { DispatchStrategy, Release } from './dispatch-strategy.js';

/** The one way of messages to the strategy, whoever made them: staged, then released. */
export class MessagePipeline {
  readonly #logger = new Logger('Thorn');
  readonly #strategy: DispatchStrategy;

  constructor(strategy: DispatchStrategy) {
    this.#strategy = strategy;
  }

  /** Sends messages that belong to no transaction. */
  async send(messages: readonly Message[]): Promise<readonly Release[]> {
    await this.#strategy.stage(messages, undefined);
    return this.#strategy.release(messages);
  }

  /** Before the commit of the transaction that `manager` is in; a throw must roll it back. */
  async stage(messages: readonly Message[], manager: EntityManager): Promise<void> {
    await this.#strategy.stage(messages, manager);
  }

  /** After the commit: whatever goes wrong here is logged, since the caller's change is already durable. */
  async release(messages: readonly Message[]): Promise<void> {
    try {
      await this.#strategy.release(messages);
    } catch (error) {
      this.#logger.error(
        `Releasing ${messages.length} committed message(s) failed: ${String(error)}`,
        error instanceof Error ? error.stack : undefined,
      );
    }
  }
}
