import { type Clock, FaultLog, MOST_IDS } from '../common/index.js';
import type { JoinedTransaction } from '../database/sql-client.js';
import { ThornConfigurationError } from '../errors/index.js';
import type { Message } from '../message/message.js';
import { type MessageTracing, NoTracing } from '../message/message-tracing.js';
import type { DispatchStrategy, Release } from './strategies/dispatch-strategy.js';
import type { HeardEvent, UnheardEvents } from './unheard-events.js';
import { type BufferOptions, BufferScopes, type MessageBuffer } from './message-buffer.js';

/** A message after its way to the strategy. */
export type PipelineResult =
  | Release
  | { readonly message: string; readonly state: 'buffered' | 'unheard'; readonly attempts: [] };

/** Takes every message to the strategy: stages it, holds it while a buffer scope is open, releases it. */
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
          const all = [...staged, ...(await this.stage(messages))];
          if (all.length > 0) await this.#track(strategy.release(all));
        },
        discard: (staged) => strategy.discard(staged),
      },
      clock,
    );
  }

  /**
   * Sends messages that belong to no transaction.
   *
   * @param wait false: resolves as soon as the strategy has staged them
   */
  async send(messages: readonly Message[], wait = true): Promise<readonly PipelineResult[]> {
    if (this.#scopes.collect(messages, false)) return withState(messages, 'buffered');
    const staged = await this.stage(messages);
    if (staged.length === messages.length) return this.#releaseStaged(messages, wait);
    const results = staged.length === 0 ? [] : await this.#releaseStaged(staged, wait);
    const byMessage = new Map(staged.map((message, index) => [message, results[index]!]));
    return messages.map((message) => byMessage.get(message) ?? withState([message], 'unheard')[0]!);
  }

  /**
   * Gives messages to the strategy, before they are released. Those that nobody would get are left out.
   *
   * @param transaction that they belong to, which is about to commit: a throw must roll it back. Default: they belong to
   * none
   * @returns the messages to release
   */
  async stage(
    messages: readonly Message[],
    transaction?: JoinedTransaction,
  ): Promise<readonly Message[]> {
    const heard = this.#heard(messages);
    if (heard.length === 0) return heard;
    if (this.tracing instanceof NoTracing) await this.strategy.stage(heard, transaction);
    else await this.tracing.stage(heard, async () => this.strategy.stage(heard, transaction));
    return heard;
  }

  /**
   * {@link stage} in a transaction that runs statements without promises.
   *
   * @throws `ThornConfigurationError` for a strategy that is not done at once: its caller rolls the transaction back
   */
  stageSync(messages: readonly Message[], transaction: JoinedTransaction): readonly Message[] {
    const heard = this.#heard(messages);
    if (heard.length === 0) return heard;
    // Without a span of its own: tracing waits for promises.
    const staged = this.strategy.stage(heard, transaction);
    if (staged === undefined) return heard;
    staged.catch(() => undefined);
    throw new ThornConfigurationError(
      'THORN_OUTBOX_REQUIRED',
      `${this.strategy.constructor.name} does not store messages at once, as sendSync() needs. Set dispatch: outbox(), or let its stage() return no promise in a transaction that has runSync.`,
    );
  }

  #heard(messages: readonly Message[]): readonly Message[] {
    return this.unheard === undefined
      ? messages
      : messages.filter(
          (message) => message.recipients.length > 0 || !this.isUnheard(criteriaOf(message)),
        );
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

  /** True when the strategy finds out by itself whether a transaction has committed. */
  get looksUpCommits(): boolean {
    return this.strategy.releaseOnCommit !== undefined;
  }

  /** Releases staged messages once their transaction has committed, of which nobody tells. */
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
