import { Injectable } from '@nestjs/common';
import { Clock, FaultLog, MOST_IDS } from '../common/index.js';
import type { JoinedTransaction } from '../database/sql-client.js';
import type { Message } from '../message/message.js';
import { MessageTracing, NoTracing } from '../message/message-tracing.js';
import { DispatchStrategy, type Release } from './strategies/dispatch-strategy.js';
import { type HeardEvent, UnheardEvents } from './unheard-events.js';
import { type BufferOptions, BufferScopes, type MessageBuffer } from './message-buffer.js';

/** A message after its way to the strategy. */
export type PipelineResult =
  | Release
  | { readonly message: string; readonly state: 'buffered' | 'unheard'; readonly attempts: [] };

/** Takes every message to the strategy: stages it, holds it while a buffer scope is open, releases it. */
@Injectable()
export class MessagePipeline {
  readonly #faults = new FaultLog();
  readonly #scopes: BufferScopes;
  readonly #underWay = new Set<Promise<unknown>>();

  /**
   * @param tracing default: messages are not traced
   * @param unheard default: every message is staged
   */
  constructor(
    private readonly strategy: DispatchStrategy,
    clock: Clock,
    private readonly tracing: MessageTracing = new NoTracing(),
    private readonly unheard?: UnheardEvents,
  ) {
    this.#scopes = new BufferScopes(
      {
        send: async (messages, staged) => {
          const heard = messages.filter((message) => this.isHeard(message));
          await this.stage(heard);
          const all = [...staged, ...heard];
          if (all.length > 0) await this.#track(strategy.release(all));
        },
        discard: (staged) => strategy.discard(staged),
      },
      clock,
    );
  }

  /**
   * Sends messages that were made by hand and belong to no transaction. Messages without a recipient are left out.
   *
   * @param wait false: resolves as soon as the strategy has staged them
   */
  async send(messages: readonly Message[], wait = true): Promise<readonly PipelineResult[]> {
    if (this.#scopes.collect(messages, false)) return withState(messages, 'buffered');
    const heard = messages.filter((message) => this.isHeard(message));
    await this.stage(heard);
    if (heard.length === messages.length) return this.#releaseStaged(messages, wait);
    const results = heard.length === 0 ? [] : await this.#releaseStaged(heard, wait);
    const byMessage = new Map(heard.map((message, index) => [message, results[index]!]));
    return messages.map((message) => byMessage.get(message) ?? withState([message], 'unheard')[0]!);
  }

  /**
   * Gives messages to the strategy, before they are released.
   *
   * @param transaction that they belong to, which is about to commit: a throw must roll it back. Default: they belong to
   * none
   */
  async stage(messages: readonly Message[], transaction?: JoinedTransaction): Promise<void> {
    if (messages.length === 0) return;
    if (this.tracing instanceof NoTracing) await this.strategy.stage(messages, transaction);
    else await this.tracing.stage(messages, async () => this.strategy.stage(messages, transaction));
  }

  /**
   * Tells whether a message that was made by hand has a recipient. Messages of entities are not made without one; see
   * {@link isUnheard}.
   */
  isHeard(message: Message): boolean {
    return message.recipients.length > 0 || !this.isUnheard(criteriaOf(message));
  }

  /** Tells whether an event has no recipient, so that its message need not be made. */
  isUnheard(event: HeardEvent): boolean {
    return this.unheard?.has(event) === true;
  }

  /**
   * After the commit. Does not wait for deliveries, because the caller still holds its connection, and does not throw,
   * because the caller's change is already durable.
   */
  release(messages: readonly Message[]): void {
    if (this.#scopes.collect(messages, true)) return;
    this.#track(this.strategy.release(messages)).catch((error: unknown) => {
      const messageIds = messages.slice(0, MOST_IDS).map(({ id }) => id);
      this.#faults.report(`Releasing ${namesOf(messages)} failed`, error, { messageIds });
    });
  }

  /** After the commit of a transaction of the application, with messages or without. */
  committed(): void {
    this.strategy.committed?.();
  }

  /** True when the strategy finds out by itself whether a transaction has committed. */
  get looksUpCommits(): boolean {
    return this.strategy.releaseOnCommit !== undefined;
  }

  /** Releases staged messages once their transaction has committed, for clients that do not report commits. */
  releaseOnCommit(messages: readonly Message[], transaction: JoinedTransaction): void {
    if (messages.length > 0) this.strategy.releaseOnCommit?.(messages, transaction);
  }

  /** Runs `work` in a buffer scope; see {@link WebhookDispatcher.buffer}. */
  buffer<Result>(
    work: (buffer: MessageBuffer) => Promise<Result> | Result,
    options: BufferOptions,
  ): Promise<Result> {
    return this.#scopes.run(work, options);
  }

  /** Resolves when no release is under way any more. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  async #releaseStaged(
    messages: readonly Message[],
    wait: boolean,
  ): Promise<readonly PipelineResult[]> {
    if (wait) return this.#track(this.strategy.release(messages));
    this.release(messages);
    return withState(messages, 'accepted');
  }

  #track<Value>(work: Promise<Value>): Promise<Value> {
    const end = (): void => void this.#underWay.delete(work);
    this.#underWay.add(work);
    // Not `finally`, which makes three promises for each message.
    void work.then(end, end);
    return work;
  }
}

/** The events and ids of messages, for one line of a log. */
function namesOf(messages: readonly Message[]): string {
  const shown = messages.slice(0, MOST_IDS).map(({ event, id }) => `${event} (${id})`);
  const more = messages.length - shown.length;
  return shown.join(', ') + (more === 0 ? '' : ` and ${more} more`);
}

function criteriaOf({ event, owner, audience, settings: { keep } }: Message): HeardEvent {
  return { event, owner, audience, keep };
}

function withState<State extends string>(messages: readonly Message[], state: State) {
  return messages.map(({ id }) => ({ message: id, state, attempts: [] as [] }));
}
