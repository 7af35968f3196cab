import { ThornConfigurationError } from '../errors/index.js';
import type { JoinedTransaction, SqlClient } from '../database/sql-client.js';
import type { Message } from '../message/message.js';
import type { MessagePipeline } from './message-pipeline.js';
import { Transactions } from './transactions.js';

/**
 * Binds messages to transactions of a client that reports nothing: each message is written at once, and released when its
 * row can be seen by others.
 */
export class JoinedTransactions extends Transactions {
  /** @param ambient answers the transaction that the caller is in. Default: none is known */
  constructor(
    private readonly client: SqlClient,
    private readonly pipeline: MessagePipeline,
    private readonly ambient: () => unknown = () => undefined,
  ) {
    super();
  }

  override current(): unknown {
    return this.ambient();
  }

  override async enlist(message: Message, transaction: unknown): Promise<true> {
    this.#checkStrategy();
    const joined = await this.client.join(transaction);
    if (!this.pipeline.isHeard(message)) return true;
    await this.pipeline.stage([message], joined);
    this.pipeline.releaseOnCommit([message], joined);
    return true;
  }

  override enlistSync(message: Message, transaction: unknown): void {
    this.#checkStrategy();
    const joined = this.client.join(transaction);
    if (joined instanceof Promise) {
      joined.catch(() => undefined);
      return super.enlistSync(message, transaction);
    }
    if (joined.runSync === undefined) return super.enlistSync(message, transaction);
    if (!this.pipeline.isHeard(message)) return;
    this.pipeline.stageSync([message], joined);
    this.pipeline.releaseOnCommit([message], joined);
  }

  override async join(transaction: unknown): Promise<JoinedTransaction> {
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
