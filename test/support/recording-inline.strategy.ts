import { Injectable } from '@nestjs/common';
import type { Attempt } from '../../lib/index.js';
import {
  Deliverer,
  DispatchStrategy,
  FanOut,
  type Message,
  type Release,
} from '../../lib/extending/index.js';

/** Delivers at once, and records every attempt. */
@Injectable()
export class RecordingInlineStrategy extends DispatchStrategy {
  readonly messages: Message[] = [];
  readonly attempts: Attempt[] = [];
  /** The errors of messages that could not be delivered at all. */
  readonly errors: Error[] = [];
  #told: (() => void)[] = [];
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(
    private readonly fanOut: FanOut,
    private readonly deliverer: Deliverer,
  ) {
    super();
  }

  override async stage(): Promise<void> {}

  override async release(messages: readonly Message[]): Promise<readonly Release[]> {
    this.messages.push(...messages);
    const deliveries = Promise.all(messages.map((message) => this.#deliver(message)));
    this.#underWay.add(deliveries);
    return deliveries.finally(() => this.#underWay.delete(deliveries));
  }

  /** Resolves with an event's first attempts once there are `count` of them. */
  async attemptsOf(event: string, count = 1): Promise<readonly Attempt[]> {
    const found = () => this.attempts.filter((attempt) => attempt.event === event);
    await this.#until(() => found().length >= count);
    return found();
  }

  /** Resolves when no delivery is under way. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  clear(): void {
    for (const list of [this.messages, this.attempts, this.errors]) list.length = 0;
  }

  async #deliver(message: Message): Promise<Release> {
    try {
      const recipients = await this.fanOut.recipientsOf(message);
      const attempts = await Promise.all(
        recipients.map(async (recipient, index) => {
          const delivery = { id: `dlv_${message.id}-${index}` };
          const attempt = await this.deliverer.attempt(delivery, message, recipient);
          this.attempts.push(attempt);
          this.#tell();
          return attempt;
        }),
      );
      return { message: message.id, state: 'delivered', attempts };
    } catch (error) {
      this.errors.push(error as Error);
      this.#tell();
      throw error;
    }
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#told.push(resolve));
  }

  #tell(): void {
    for (const wake of this.#told.splice(0)) wake();
  }
}
