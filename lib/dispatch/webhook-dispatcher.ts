import { setImmediate } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import type { JoinedTransaction } from '../database/sql-client.js';
import { TransactionRequiredError } from '../database/errors.js';
import { InvalidInputError } from '../errors/index.js';
import { EventCatalogue } from '../event/catalogue.js';
import { RecipientPolicies } from '../delivery/index.js';
import {
  type Message,
  MessageFactory,
  messageSettings,
  orderSetting,
  type Recipient,
} from '../message/index.js';
import type { OwnerScope } from '../subscriber/index.js';
import { StaticSubscriberSet } from '../subscriber/service/static-subscriber-set.js';
import type { BufferOptions, MessageBuffer } from './message-buffer.js';
import { MessagePipeline } from './message-pipeline.js';
import { EventHistory, type HistoryPage, type HistoryQuery } from './event-history.js';
import { EntityMessageSource } from './rows/entity-message-source.js';
import type { EntityType, RowCriteria } from './rows/row-criteria.js';
import {
  checkSendForOptions,
  checkSendOptions,
  type SendArguments,
  type SendForOptions,
  type SendMethod,
  type SendOptions,
} from './send-options.js';
import type { SendForSummary, SendResult } from './send-result.js';
import { isTableRow, type TableRow, TableRows } from './rows/table-row.js';
import { Transactions } from './transactions.js';
import { UndeclaredEvents } from './undeclared-events.js';

/**
 * How many messages of transactions are staged before the event loop runs other work. Staging may wait for nothing, as on SQLite,
 * so that many calls would keep the event loop busy until the last one, whether they are awaited one by one or together.
 */
const STAGED_PER_PAUSE = 500;

/**
 * Sends webhooks by hand. Injectable anywhere.
 *
 * @example
 * ```ts
 * await dispatcher.send('order.flagged', { id: order.id }, { owner: order.customerId });
 * ```
 */
@Injectable()
export class WebhookDispatcher<Transaction = unknown> {
  readonly #logger = new Logger('Thorn');
  readonly #undeclared = new UndeclaredEvents();
  readonly #rows: TableRows;
  #staged = 0;
  /** Undefined while no caller has to wait. */
  #pausing: Promise<void> | undefined;

  /** @internal */
  constructor(
    private readonly messages: MessageFactory,
    private readonly pipeline: MessagePipeline,
    private readonly transactions: Transactions,
    private readonly catalogue: EventCatalogue,
    private readonly statics: StaticSubscriberSet,
    private readonly policies: RecipientPolicies,
    private readonly entities: EntityMessageSource,
    private readonly events: EventHistory,
  ) {
    this.#rows = new TableRows(catalogue);
  }

  /**
   * Sends one event. Within a function that `dataSource.transaction()` runs, it belongs to that transaction: sent after
   * the commit, and never after a rollback; see {@link SendOptions.manager}.
   *
   * @param name the event's name, for example `order.flagged`
   * @param data becomes the envelope's `data`; default an empty object
   * @throws {@link InvalidInputError} when the name, an option or a data value is refused: nothing was stored or sent
   * @throws `TransactionRequiredError` where transactions are required, none is given, and none is known; see the option
   * `transactions` of the module
   * @throws `TransactionEndedError` when the transaction has ended, such as by a rollback that did not wait for this
   */
  async send(
    name: string,
    data?: unknown,
    ...rest: SendArguments<Transaction, SendOptions<Transaction>>
  ): Promise<SendResult> {
    const [options = {}] = rest as [SendOptions<Transaction>?];
    const transaction = this.#transactionOf(options, 'send()');
    this.#check(name, options, 'send()');
    return this.#send(name, data, options, transaction);
  }

  /**
   * Sends an entity's event by hand, as if its row had just changed: with the event's own payload, owner and settings,
   * from the re-read row. Its condition must hold for the row as it is; transitions have nothing to compare with, so
   * they hold when their operator does.
   *
   * @param event the name as declared, its fields in braces
   * @returns null when the event's condition does not hold
   * @throws {@link InvalidInputError} when the entity has no such event, or a value is refused
   *
   * @example
   * ```ts
   * await dispatcher.sendFor(article, 'article.published');
   * ```
   */
  sendFor(
    entity: object,
    event: string,
    ...options: SendArguments<Transaction, SendForOptions<Transaction>>
  ): Promise<SendResult | null>;
  /**
   * Sends an entity's event for every row that matches, read and sent in batches: for writes that are not captured, such
   * as SQL by hand.
   *
   * @example
   * ```ts
   * await dataSource.query(`UPDATE article SET state = 'PUBLISHED' WHERE state = 'DRAFT'`);
   * await dispatcher.sendFor(Article, { where: { state: 'PUBLISHED' } }, 'article.published');
   * ```
   */
  sendFor<Entity extends object>(
    type: EntityType<Entity>,
    criteria: RowCriteria<Entity>,
    event: string,
    ...options: SendArguments<Transaction, SendForOptions<Transaction>>
  ): Promise<SendForSummary>;
  /**
   * Sends an event for a row of a table, for clients other than TypeORM. The row is read in the transaction of the message:
   * the properties that the event's schema has, with the types that it names, and no other column.
   *
   * @param event a declared name; its schema has properties
   * @param options as {@link send}. `tx` is needed where no transaction is known
   * @returns null when there is no such row
   * @throws {@link InvalidInputError} when the event has no schema, or a value is not of its type
   * @throws `TransactionRequiredError` outside of any transaction
   *
   * @example
   * ```ts
   * await dispatcher.sendFor({ table: 'orders', key: { id } }, 'order.placed', { tx, owner: user.id });
   * ```
   */
  sendFor(
    row: TableRow,
    event: string,
    ...options: SendArguments<Transaction, SendOptions<Transaction>>
  ): Promise<SendResult | null>;
  async sendFor(
    what: object,
    ...rest: readonly unknown[]
  ): Promise<SendResult | SendForSummary | null> {
    if (isTableRow(what)) {
      return this.#sendRow(what, ...(rest as [string, SendOptions<Transaction>?]));
    }
    if (typeof what !== 'function') {
      const [event, options = {}] = rest as [string, SendForOptions?];
      checkSendForOptions(options);
      const transaction = this.#transactionOf(options, 'sendFor()', what.constructor);
      if (transaction !== undefined) await this.#pause(1);
      const message = await this.entities.messageOf(what, event, transaction);
      return message === null ? null : (await this.#emit([message], transaction, options.wait))[0]!;
    }
    const [criteria, event, options = {}] = rest as [RowCriteria<object>, string, SendForOptions?];
    checkSendForOptions(options);
    let [rows, sent] = [0, 0];
    const type = what as EntityType<object>;
    const transaction = this.#transactionOf(options, 'sendFor()', type);
    for await (const batch of this.entities.messagesOf(type, criteria, event, transaction)) {
      if (transaction !== undefined) await this.#pause(batch.messages.length);
      const results = await this.#emit(batch.messages, transaction, options.wait);
      rows += batch.rows;
      sent += results.filter(({ state }) => state !== 'unheard').length;
    }
    return { rows, sent };
  }

  /**
   * Whether {@link send} is refused where the caller is, unless it names a transaction.
   *
   * @internal
   */
  get lacksTransaction(): boolean {
    const { transactions } = this;
    return transactions.isRequired && transactions.current() === undefined;
  }

  /**
   * Collects every message that is sent or captured inside `work` and sends them as one batch when it has resolved.
   * Nested scopes flush with the outermost; parallel ones do not mix. A throw drops the messages that were not flushed.
   *
   * @throws {@link ThornConfigurationError} naming the option that is unknown or invalid; `work` is not called then
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

  /**
   * Returns past messages, oldest first, for clients that poll instead of receiving requests. It needs
   * `outbox({ history: true })`. Once a reader has passed a cursor, no message is ever committed before it. A page may have
   * fewer messages than asked for where few of them match.
   *
   * @param scope whose messages: the messages that a subscriber of this owner would get, or `'any'` for all
   * @throws {@link InvalidInputError} naming the invalid field; also for a cursor of another scope
   * @throws `CursorExpiredError` for a cursor that is older than the messages that are kept
   * @throws {@link ThornConfigurationError} when the application keeps no history
   *
   * @example
   * ```ts
   * const { items, next } = await dispatcher.history({ event: 'order.*', after }, { owner: user.id });
   * ```
   */
  history(query: HistoryQuery, scope: OwnerScope): Promise<HistoryPage> {
    return this.events.page(query, scope);
  }

  async #sendRow(
    row: TableRow,
    event: string,
    options: SendOptions<Transaction> = {},
  ): Promise<SendResult | null> {
    this.#check(event, options, 'sendFor()');
    const tx = this.#knownTransactionOf(options);
    if (tx === undefined) {
      throw new TransactionRequiredError(
        'sendFor() reads a row in the transaction of its message: pass the transaction by the option tx.',
      );
    }
    const joining = this.transactions.join(tx);
    const joined = joining instanceof Promise ? await joining : joining;
    const data = await this.#rows.read(row, event, joined);
    return data === null ? null : this.#send(event, data, options, tx, joined);
  }

  /**
   * In a transaction the message is on its way to the database before this returns, unless there is something to wait for:
   * what the caller does next, such as a rollback, comes after it. Where a statement may be late, it proves that it
   * runs in the transaction; see {@link TransactionProof}.
   */
  async #send(
    name: string,
    data: unknown,
    options: SendOptions<Transaction>,
    transaction: unknown,
    joined?: JoinedTransaction,
  ): Promise<SendResult> {
    const { statics, transactions } = this;
    const owner = this.#ownerOf(name, options);
    const finding = statics.resolve(options.subscribers, name, owner, this.#rulesOf(options));
    const pause = transaction === undefined ? undefined : this.#pause(1);
    let recipients = finding instanceof Promise ? [] : finding;
    if (finding instanceof Promise || pause !== undefined) {
      const held = transaction === undefined ? undefined : transactions.hold(transaction);
      const [found, , assertHeld] = await Promise.all([finding, pause, held]);
      recipients = found;
      await assertHeld?.();
    }
    const message = this.#messageOf(name, data, options, owner, recipients);
    const [result] = await this.#emit([message], transaction, options.wait, joined);
    if (pause !== undefined) await pause;
    return result!;
  }

  /** Undefined: in none. */
  #transactionOf(options: SendForOptions, method: SendMethod, entity?: unknown): unknown {
    const transaction = this.#knownTransactionOf(options, entity);
    const isNamed = options?.tx !== undefined || options?.manager !== undefined;
    if (transaction === undefined && !isNamed && this.transactions.isRequired) {
      throw new TransactionRequiredError(
        `${method} was given no transaction, and the caller is in none that is known: the message would be sent even if the caller's work is rolled back. ${this.transactions.remedy}`,
      );
    }
    return transaction;
  }

  /** The transaction of the caller. Undefined outside of a transaction, and in a transaction that cannot be found. */
  #knownTransactionOf(options: SendForOptions, entity?: unknown): unknown {
    // Checked later.
    const { manager, tx } = options ?? {};
    const given = tx === undefined ? manager : tx;
    return given === undefined ? this.transactions.current(entity) : (given ?? undefined);
  }

  /** After each {@link STAGED_PER_PAUSE} messages, a promise that resolves once the event loop has run other work. */
  #pause(messages: number): Promise<void> | undefined {
    this.#staged += messages;
    if (this.#staged >= STAGED_PER_PAUSE) {
      this.#staged = 0;
      const pause = (this.#pausing ?? Promise.resolve()).then(() => setImmediate());
      this.#pausing = pause;
      void pause.then(() => {
        if (this.#pausing === pause) this.#pausing = undefined;
      });
    }
    return this.#pausing;
  }

  async #emit(
    messages: readonly Message[],
    transaction: unknown,
    wait = true,
    joined?: JoinedTransaction,
  ): Promise<SendResult[]> {
    if (messages.length === 0) return [];
    if (transaction !== undefined) {
      if (await this.#enlist(messages, transaction, joined)) {
        return messages.map(({ id }) => ({ id, state: 'staged', attempts: [] }));
      }
      if (this.transactions.isRequired) {
        throw new TransactionRequiredError(
          'send() was given a manager that is in no transaction: the message would be sent even if the work of the caller is rolled back. Pass the manager that transaction() gives, or manager: null to send at once.',
        );
      }
    }
    const results = await this.pipeline.send(messages, wait);
    return results.map(({ message, state, attempts }) => ({ id: message, state, attempts }));
  }

  /** @returns false when there is no transaction */
  async #enlist(
    messages: readonly Message[],
    transaction: unknown,
    joined: JoinedTransaction | undefined,
  ): Promise<boolean> {
    for (const message of messages) {
      const isIn = this.transactions.enlist(message, transaction, joined);
      if (isIn === false || (isIn !== true && !(await isIn))) return false;
    }
    return true;
  }

  #check(name: string, options: SendOptions<Transaction>, method: SendMethod): void {
    this.catalogue.checkSent(name);
    this.#undeclared.sent(name, this.catalogue);
    checkSendOptions(options, method);
    if (options.changed !== undefined) this.catalogue.checkSentChanges(name, options.changed);
    this.#checkRecipients(options);
  }

  #messageOf(
    name: string,
    data: unknown,
    options: SendOptions<Transaction>,
    owner: string | null,
    recipients: readonly Recipient[],
  ): Message {
    return this.messages.create({
      ...(options.id === undefined ? {} : { id: options.id }),
      event: name,
      data,
      owner,
      ...(options.ref === undefined ? {} : { ref: options.ref }),
      subject: options.subject,
      audience: 'owner' in options ? 'owner' : 'everyone',
      headers: options.headers === undefined ? {} : options.headers,
      changed: options.changed,
      settings: messageSettings(options),
      ...('orderBy' in options ? { orderBy: orderSetting(options.orderBy) } : {}),
      recipients,
    });
  }

  #rulesOf({ recipients }: SendOptions) {
    const checkUrl = (url: string) => this.policies.of(recipients).checkUrl(url);
    return { checkUrl };
  }

  #checkRecipients({ recipients }: SendOptions): void {
    try {
      this.policies.of(recipients);
    } catch (error) {
      throw new InvalidInputError('recipients', `are refused: ${(error as Error).message}`);
    }
  }

  #ownerOf(name: string, options: SendOptions<Transaction>): string | null {
    if (!('owner' in options)) return null;
    const { owner } = options;
    if (owner !== undefined && owner !== null && owner !== '') return String(owner);
    this.#logger.warn(
      `${name} was sent with an empty owner: only subscribers without an owner receive it`,
    );
    return null;
  }
}
