import { ThornConfigurationError } from '../errors/index.js';
import { heldWhile, type JoinedTransaction, type SqlClient } from '../database/sql-client.js';
import type { Message } from '../message/message.js';
import type { MessagePipeline } from './message-pipeline.js';
import { Transactions } from './transactions.js';

/**
 * Binds messages to transactions of a client that reports nothing: each message is written at once, and released when its
 * row can be seen by others.
 */
export class JoinedTransactions extends Transactions {
  /** The last message with a key that is being written in a transaction. */
  readonly #writing = new WeakMap<object, Promise<void>>();

  /**
   * @param ambient answers the transaction that the caller is in. Default: none is known
   * @param isRequired default false
   */
  constructor(
    private readonly client: SqlClient,
    private readonly pipeline: MessagePipeline,
    private readonly ambient: () => unknown = () => undefined,
    isRequired?: boolean,
  ) {
    super(isRequired);
  }

  override current(): unknown {
    return this.ambient();
  }

  // The statement is on its way before this returns, unless something has to be asked.
  override async enlist(
    message: Message,
    transaction: unknown,
    known?: JoinedTransaction,
  ): Promise<true> {
    const joining = known ?? this.join(transaction);
    const joined = joining instanceof Promise ? await joining : joining;
    if (!this.pipeline.isHeard(message)) return true;
    await (message.key === null || joined.proof === undefined
      ? this.pipeline.stage([message], joined)
      : this.#stageInOrder(message, joined, transaction as object));
    this.pipeline.releaseOnCommit([message], joined);
    return true;
  }

  /**
   * One message after another: where a number takes more than one statement, those of another message must not come in
   * between.
   */
  #stageInOrder(message: Message, joined: JoinedTransaction, transaction: object): Promise<void> {
    const before = this.#writing.get(transaction);
    const staging =
      before === undefined
        ? this.pipeline.stage([message], joined)
        : heldWhile(joined, before).then(() => this.pipeline.stage([message], joined));
    const end = (): void => {
      if (this.#writing.get(transaction) === done) this.#writing.delete(transaction);
    };
    const done = staging.then(end, end);
    this.#writing.set(transaction, done);
    return staging;
  }

  override async hold(transaction: unknown): Promise<() => Promise<void>> {
    const joining = this.join(transaction);
    const { hold } = joining instanceof Promise ? await joining : joining;
    return (await hold?.()) ?? (() => Promise.resolve());
  }

  override join(transaction: unknown): JoinedTransaction | Promise<JoinedTransaction> {
    this.#checkStrategy();
    return this.client.join(transaction);
  }

  #checkStrategy(): void {
    if (this.pipeline.looksUpCommits) return;
    throw new ThornConfigurationError(
      'THORN_OUTBOX_REQUIRED',
      `${this.client.name} does not tell when a transaction commits, and only outbox() looks it up. Set dispatch: outbox(), or pass tx: null to send at once.`,
    );
  }
}
