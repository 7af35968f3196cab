import { KeyedMutex } from '../../common/waiting.js';
import { newId } from '../../common/id.js';
import { Clock } from '../../common/time.js';
import { OptionChecks } from '../../common/option-checks.js';
import type { Attempt } from '../../delivery/attempt/attempt.js';
import { type NextStep, emitAttempt, WebhookEvents } from '../../delivery/webhook-events.js';
import { Deliverer } from '../../delivery/deliverer.js';
import type { Message } from '../../message/message.js';
import { hasEnded, type Recipient, hostOf } from '../../message/recipient.js';
import { DispatchStrategy, type Release } from './dispatch-strategy.js';
import { FanOut } from '../recipients/fan-out.js';
import type { StrategyDefinition } from './dispatch-strategy.js';

/** Settings of {@link inline}. */
export interface InlineOptions {
  /** Deliveries in flight at most, over all messages. Default 1,000. */
  readonly window?: number;
}

const DEFAULT_WINDOW = 1000;

/** Delivers in the caller's process, one attempt a subscriber. Durable is what `outbox()` is for. */
export class InlineStrategy extends DispatchStrategy {
  readonly #window: number;
  readonly #waiting: (() => void)[] = [];
  readonly #lookups = new KeyedMutex();
  readonly #mutex = new KeyedMutex();
  #inFlight = 0;
  #latestSequence = 0;

  /** @throws {@link ThornConfigurationError} naming the option that is unknown or invalid */
  constructor(
    private readonly fanOut: FanOut,
    private readonly deliverer: Deliverer,
    private readonly events: WebhookEvents,
    private readonly clock: Clock,
    options: InlineOptions = {},
  ) {
    super();
    const check = new OptionChecks('inline()');
    check.names(options, ['window']);
    this.#window = check.integer('window', options.window ?? DEFAULT_WINDOW);
  }

  override label(): string {
    return 'inline()';
  }

  override async stage(): Promise<void> {}

  /** Resolves when every delivery of every message has been attempted once. */
  override async release(messages: readonly Message[]): Promise<readonly Release[]> {
    for (const message of messages) if (message.key !== null) message.number(this.#sequence());
    return Promise.all(
      messages.map(async (message) => {
        this.events.emit('message-accepted', () => ({
          messageId: message.id,
          event: message.event,
          owner: message.owner,
          time: message.time,
        }));
        const { deliveries } = await this.#fanOut(message);
        return {
          message: message.id,
          state: 'delivered' as const,
          attempts: (await Promise.all(deliveries)).filter((attempt) => attempt !== null),
        };
      }),
    );
  }

  /** Messages of one key are looked up one after another, so that their deliveries queue up in order. */
  async #fanOut(
    message: Message,
  ): Promise<{ readonly deliveries: readonly Promise<Attempt | null>[] }> {
    const lookUp = async () => {
      const recipients = await this.fanOut.recipientsOf(message);
      return {
        deliveries: recipients.map((recipient) => this.#deliverInOrder(message, recipient)),
      };
    };
    return message.key === null ? lookUp() : this.#lookups.run(message.key, lookUp);
  }

  #deliverInOrder(message: Message, recipient: Recipient): Promise<Attempt | null> {
    const { key } = message;
    if (key === null || recipient.ordered !== true) return this.#deliver(message, recipient);
    return this.#mutex.run(`${recipient.id} ${key}`, () => this.#deliver(message, recipient));
  }

  /** Grows from one start of the process to the next, without a record of keys. */
  #sequence(): number {
    return (this.#latestSequence = Math.max(this.#latestSequence + 1, this.clock.now() * 1000));
  }

  /** @returns null when the subscriber has ended while it waited */
  async #deliver(message: Message, matched: Recipient): Promise<Attempt | null> {
    if (this.#inFlight >= this.#window)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#inFlight++;
    try {
      const id = newId('dlv_', this.clock.now());
      const recipient = await this.#renewed(message, matched, id);
      if (recipient === null) return null;
      const attempt = await this.deliverer.attempt({ id, number: 1 }, message, recipient);
      emitAttempt(
        this.events,
        { attempt, number: 1, host: () => hostOf(recipient) },
        sequelOf(attempt),
      );
      return attempt;
    } finally {
      // The slot is passed on directly, so that no other caller can take it in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#inFlight--;
      else next();
    }
  }

  /** The recipient, as it was renewed where its end has passed; null, which is told, if it was not. */
  async #renewed(message: Message, matched: Recipient, id: string): Promise<Recipient | null> {
    if (!hasEnded(matched, this.clock.now())) return matched;
    const current = await this.fanOut.finder().find(message, matched.id);
    if (current !== null && !hasEnded(current, this.clock.now())) return current;
    this.events.emit('failed', () => ({
      ...{ deliveryId: id, messageId: message.id, event: message.event },
      ...{ subscriberId: matched.id, host: hostOf(matched) },
      ...{ attempt: null, reason: current === null ? 'disabled' : 'expired' },
    }));
    return null;
  }
}

/** There is never another attempt. */
function sequelOf({ outcome, error }: Attempt): NextStep {
  if (outcome === 'succeeded') return { ends: 'succeeded' };
  return { ends: 'failed', reason: error?.code === 'recipient-refused' ? 'refused' : 'exhausted' };
}

/**
 * Delivers in the caller's process: `send()` resolves to what happened per subscriber. Nothing is tried again, and what
 * is under way when the process dies is lost.
 *
 * @throws {@link ThornConfigurationError} at start-up, naming the option that is unknown or invalid
 * @example
 * ```ts
 * ThornModule.forRoot({ dispatch: inline() });
 * ```
 */
export function inline(options: InlineOptions = {}): StrategyDefinition {
  return {
    inject: [FanOut, Deliverer, WebhookEvents, Clock],
    useFactory: (fanOut: FanOut, deliverer: Deliverer, events: WebhookEvents, clock: Clock) =>
      new InlineStrategy(fanOut, deliverer, events, clock, options),
    keepsMessages: false,
  };
}
