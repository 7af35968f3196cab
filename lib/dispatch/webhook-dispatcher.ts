import { Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { InvalidInputError } from '../errors/index.js';
import type { EventCatalogue } from '../event/catalogue.js';
import { checkEventName } from '../event/event-name.js';
import type { RecipientPolicies } from '../delivery/index.js';
import {
  checkMessageSettings,
  type MessageFactory,
  MESSAGE_SETTINGS,
  messageSettings,
  type MessageSettings,
  type SubscriberSource,
} from '../message/index.js';
import type { StaticSubscriberSet } from '../subscriber/static-subscriber-set.js';
import type { BufferOptions, MessageBuffer } from './message-buffer.js';
import type { MessagePipeline, PipelineResult } from './message-pipeline.js';
import type { Transactions } from './transactions.js';

/** Options of {@link WebhookDispatcher.send}. */
export interface SendOptions extends MessageSettings {
  /**
   * The owner whose subscribers may see the message. Leave the key out for everyone who subscribed; a key whose value
   * is null or undefined leaves the ownerless subscribers alone, since a sender was meant.
   */
  readonly sender?: string | number | bigint | null | undefined;
  /** Where the thing can be found; becomes the envelope's `ref`. Default null. */
  readonly ref?: string | null;
  /** Extra HTTP headers; never able to replace a system header. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Receivers of this message alone, in addition to those who match. */
  readonly subscribers?: SubscriberSource;
  /** Joins the transaction that this manager is in: sent if it commits, never if it rolls back. */
  readonly manager?: EntityManager;
  /**
   * False: resolves as soon as the strategy has taken the message over, whatever its deliveries take. Default true.
   */
  readonly wait?: boolean;
}

/** What `send()` resolves to. */
export interface SendResult {
  /** Id of the message, sent as `webhook-id`. */
  readonly id: string;
  /**
   * `delivered`: attempted for every subscriber, see `attempts`. `accepted`: delivered later. `staged`: sent when the
   * transaction of `manager` commits. `buffered`: sent when the buffer scope flushes. `discarded`: webhooks are
   * switched off.
   */
  readonly state: PipelineResult['state'] | 'staged';
  /** What happened per subscriber, when the strategy delivers within the call; else empty. */
  readonly attempts: PipelineResult['attempts'];
}

const KNOWN_OPTIONS = new Set<string>([
  ...['sender', 'ref', 'headers', 'subscribers', 'manager', 'wait'],
  ...MESSAGE_SETTINGS,
]);

/**
 * Sends webhooks by hand. Injectable anywhere.
 *
 * @example
 * ```ts
 * await dispatcher.send('order.flagged', { id: order.id }, { sender: order.customerId });
 * ```
 */
export class WebhookDispatcher {
  readonly #logger = new Logger('Thorn');

  constructor(
    private readonly messages: MessageFactory,
    private readonly pipeline: MessagePipeline,
    private readonly transactions: Transactions,
    private readonly catalogue: EventCatalogue,
    private readonly statics: StaticSubscriberSet,
    private readonly policies: RecipientPolicies,
    private readonly strictEvents: boolean,
  ) {}

  /**
   * Sends one event.
   *
   * @param name the event's name, for example `order.flagged`
   * @param data becomes the envelope's `data`; default an empty object
   * @throws {@link InvalidInputError} when the name, an option or a data value is refused: nothing was stored or sent
   */
  async send(name: string, data?: unknown, options: SendOptions = {}): Promise<SendResult> {
    this.#check(name, options);
    const declared = 'sender' in options;
    const sender = declared ? this.#senderOf(name, options.sender) : null;
    const message = this.messages.create({
      event: name,
      data,
      sender,
      ref: options.ref ?? null,
      audience: declared ? 'sender' : 'everyone',
      headers: options.headers ?? {},
      settings: messageSettings(options),
      recipients: await this.statics.resolve(options.subscribers, name, sender, {
        checkUrl: (url) => this.policies.of(options.recipients).checkUrl(url),
      }),
    });
    if (options.manager !== undefined && this.transactions.enlist(message, options.manager)) {
      return { id: message.id, state: 'staged', attempts: [] };
    }
    const [result] = await this.pipeline.send([message], options.wait ?? true);
    return { id: message.id, state: result?.state ?? 'accepted', attempts: result?.attempts ?? [] };
  }

  /**
   * Collects every message that is sent or captured inside `work` and sends them as one batch when it has resolved.
   * Nested scopes flush with the outermost; parallel ones do not mix. A throw drops what was not flushed.
   *
   * @example
   * ```ts
   * await dispatcher.buffer(async (buffer) => {
   *   for (const row of rows) {
   *     await importRow(row);
   *     await buffer.maybeFlush();
   *   }
   * }, { flushEvery: 500, flushAfter: 2_000 });
   * ```
   */
  buffer<Result>(
    work: (buffer: MessageBuffer) => Promise<Result> | Result,
    options: BufferOptions = {},
  ): Promise<Result> {
    return this.pipeline.buffer(work, options);
  }

  #check(name: string, options: SendOptions): void {
    checkEventName(name);
    if (this.strictEvents && !this.catalogue.has(name)) {
      throw new InvalidInputError(
        'event',
        `${name} is not declared; declare it with defineEvents() or @WebhookEvent`,
      );
    }
    const unknown = Object.keys(options).find((key) => !KNOWN_OPTIONS.has(key));
    if (unknown !== undefined) {
      throw new InvalidInputError(
        unknown,
        `is no option of send(); known are ${[...KNOWN_OPTIONS].join(', ')}`,
      );
    }
    checkMessageSettings(options);
    const { ref } = options;
    if (ref !== undefined && ref !== null && typeof ref !== 'string') {
      throw new InvalidInputError('ref', 'must be a text or null');
    }
  }

  #senderOf(name: string, sender: SendOptions['sender']): string | null {
    if (sender !== undefined && sender !== null && sender !== '') {
      if (!['string', 'number', 'bigint'].includes(typeof sender)) {
        throw new InvalidInputError('sender', 'must be the id of an owner: a text or a number');
      }
      return String(sender);
    }
    this.#logger.warn(
      `${name} was sent with an empty sender: only subscribers without an owner receive it`,
    );
    return null;
  }
}
