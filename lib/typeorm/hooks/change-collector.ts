import { setImmediate } from 'node:timers/promises';
import type {
  EntityManager,
  EntitySubscriberInterface,
  QueryRunner,
  TransactionRollbackEvent,
  TransactionStartEvent,
} from 'typeorm';
import { errorText, FaultLog } from '../../common/index.js';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { TransactionEndedError } from '../../database/errors.js';
import type { MessagePipeline } from '../../dispatch/index.js';
import type { Message } from '../../message/index.js';
import type { DataSourceClient } from '../data-source-client.js';
import { hasTransaction, type Told } from '../transaction-status.js';
import { identifyLinks } from '../entities/link-rows.js';
import { ManagerRows } from '../entities/manager-rows.js';
import {
  type CollectedItem,
  type DueEvent,
  dueEventsOf,
  UnseenWrites,
} from '../../capture/changes/due-events.js';
import type { EntityMessages } from '../../capture/messages/entity-messages.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import type { Connections, ConnectionState } from '../connection/connection-state.js';
import { TransactionByHandError } from '../errors.js';
import { isEnded, type TransactionsByHand } from './transactions-by-hand.js';

/** The connection that a hook of TypeORM is called on. */
interface OnConnection {
  readonly queryRunner: QueryRunner;
  readonly manager: EntityManager;
}

const ENDED =
  'A COMMIT or ROLLBACK by hand has ended the transaction, so the events of its writes are not sent. Use transaction() of a manager, or commitTransaction() and rollbackTransaction() of the query runner';

/** Due events whose rows are read, and whose messages are staged, together. */
const STAGED_TOGETHER = 1_000;

/**
 * Collects the changes on each connection, and sends their messages when its outermost transaction commits. A subscriber of
 * the data source.
 */
export class ChangeCollector implements EntitySubscriberInterface {
  readonly #faults = new FaultLog();

  constructor(
    private readonly client: DataSourceClient,
    private readonly messages: EntityMessages,
    private readonly pipeline: MessagePipeline,
    private readonly byHand: Pick<TransactionsByHand, 'refuse'>,
    private readonly connections: Connections,
  ) {}

  /**
   * Adds a change, synchronously. Outside of a transaction the promise resolves when the message was sent. In a
   * transaction that was begun by hand it rejects.
   */
  collect(on: OnConnection, item: CollectedItem): Promise<void> | void {
    const { queryRunner } = on;
    const state = this.connections.of(queryRunner);
    if (queryRunner.isTransactionActive || state.frames.depth > 0) {
      state.openFrames.add(item);
      return;
    }
    state.unframed.push(item);
    return this.#sendUnframed(state, on);
  }

  /**
   * Refuses a captured write in a transaction that was begun by hand.
   *
   * @param queryRunner undefined when it is not known yet
   * @throws {@link TransactionByHandError}
   */
  refuseByHand(queryRunner: QueryRunner | undefined): void {
    this.#refuseByHand(queryRunner, 'A write that has events was made');
  }

  /** Notes that the open transaction of a connection writes rows of an entity, and that these rows are not read. */
  noteUnseen(queryRunner: QueryRunner, plan: EntityPlan): void {
    this.connections.of(queryRunner).uncaptured.add(plan);
  }

  /** A write of the open transaction was refused after it was made: the commit has to fail, unless it is rolled back. */
  refuse(queryRunner: QueryRunner, reason: Error): void {
    this.connections.of(queryRunner).openFrames.add({ type: 'refusal', reason });
  }

  /**
   * @returns false when the connection is in no transaction
   * @throws {@link TransactionByHandError}
   */
  enlist(queryRunner: QueryRunner, message: Message): boolean {
    this.#refuseByHand(queryRunner, `${message.event} was sent`);
    if (!queryRunner.isTransactionActive) return false;
    this.connections.of(queryRunner).openFrames.add({ type: 'message', message });
    return true;
  }

  /**
   * A statement is about to be run.
   *
   * @throws {@link TransactionEndedError} when the database has ended its transaction: it would be committed by itself
   */
  statement(queryRunner: QueryRunner): void {
    if (!queryRunner.isTransactionActive) return;
    const state = this.connections.of(queryRunner);
    if (state.endedBy !== undefined) {
      if (state.rollbacks === 0) throw state.endedBy;
      // The rollback of a savepoint fails: for TypeORM the transaction is still open.
      state.rollbacks -= 1;
    }
    state.statement();
  }

  /** Takes the information about transactions that came with the result of a statement. */
  told(queryRunner: QueryRunner, told: Told): void {
    const state = this.connections.of(queryRunner);
    state.told(told);
    const isByHand = told.hasRolledBack && !state.isCommitting && state.rollbacks === 0;
    if (isByHand && state.hasCollected) {
      this.refuse(queryRunner, TransactionByHandError.ofRollback(dataSourceOf(queryRunner)));
    }
  }

  /** A transaction or a savepoint is about to begin. */
  beforeTransactionStart({ queryRunner }: Pick<TransactionStartEvent, 'queryRunner'>): void {
    const state = this.connections.of(queryRunner);
    if (state.frames.depth > 0) return;
    state.isWithinOther = (hasTransaction(queryRunner) ?? state.isOpenAfterWrite) === true;
  }

  /** A transaction or a savepoint has begun. */
  afterTransactionStart({ queryRunner }: Pick<TransactionStartEvent, 'queryRunner'>): void {
    const state = this.connections.of(queryRunner);
    if (state.frames.depth === 0) state.begin();
    state.frames.begin();
  }

  /** Savepoints have this hook too; only the outermost transaction is about to become real. */
  beforeTransactionCommit({ queryRunner, manager }: OnConnection): Promise<void> | void {
    const state = this.connections.of(queryRunner);
    if (state.frames.depth > 1) return;
    state.isCommitting = true;
    const { refusal } = state;
    if (refusal !== undefined) return Promise.reject(refusal);
    const items = state.drain();
    if (items.length === 0) return;
    try {
      if (isEnded(queryRunner, state)) throw new TransactionEndedError(ENDED);
      this.refuseByHand(queryRunner);
      return this.#stage(state, items, manager);
    } catch (error) {
      // Not thrown: when a hook throws, TypeORM does not wait for the promises of other hooks.
      return Promise.reject(error);
    }
  }

  /** A transaction has committed, or a savepoint was released. */
  afterTransactionCommit(on: OnConnection): Promise<void> | void {
    const { queryRunner } = on;
    const state = this.connections.of(queryRunner);
    if (queryRunner.isTransactionActive) {
      state.frames.merge();
      return;
    }
    state.isCommitting = false;
    if (state.hasFailed) return this.afterTransactionRollback({ queryRunner });
    const late = state.drain();
    state.frames.close();
    const staged = state.staged.splice(0);
    try {
      if (staged.length > 0) this.pipeline.release(staged);
    } catch (error) {
      // Thrown here it would reject a save that is durable.
      this.#faults.report(`Releasing ${staged.length} committed message(s) failed`, error);
    }
    if (late.length > 0) {
      state.unframed.push(...late);
      return this.#sendUnframed(state, on);
    }
  }

  /**
   * The database has rolled back the open transaction of a connection by itself: the collected changes are not stored.
   */
  ended(queryRunner: QueryRunner, cause: unknown): void {
    if (!queryRunner.isTransactionActive) return;
    const text = `The database has ended the transaction, and its writes are not stored (${errorText(cause)}). Let the error leave the transaction function, and begin another transaction`;
    const error = new TransactionEndedError(text, cause);
    this.connections.of(queryRunner).endedBy = error;
    this.refuse(queryRunner, error);
  }

  /** A transaction or a savepoint is about to be rolled back. */
  beforeTransactionRollback({ queryRunner }: Pick<TransactionRollbackEvent, 'queryRunner'>): void {
    const state = this.connections.of(queryRunner);
    state.isCommitting = false;
    state.rollbacks += 1;
  }

  /** A transaction or a savepoint was rolled back. */
  afterTransactionRollback({ queryRunner }: Pick<TransactionRollbackEvent, 'queryRunner'>): void {
    const state = this.connections.of(queryRunner);
    state.rollbacks = Math.max(0, state.rollbacks - 1);
    if (queryRunner.isTransactionActive) {
      state.frames.drop();
      return;
    }
    state.rollbacks = 0;
    state.frames.close();
    state.endedBy = undefined;
    state.hasFailed = false;
    state.staged.length = 0;
  }

  async #stage(
    state: ConnectionState,
    items: CollectedItem[],
    manager: EntityManager,
  ): Promise<void> {
    const reader = new ManagerRows(manager);
    const dataSource = dataSourceOf(manager);
    // It is open: TypeORM waits for this before its COMMIT.
    const transaction = this.client.within(manager);
    // Without RETURNING, TypeORM may give several new rows the defaults of each other.
    const mostAlone = dataSource.driver.isReturningSqlSupported('insert') ? Infinity : 1;
    // Several saves may share a connection: further changes may arrive while these changes are read and staged.
    for (let batch = items; batch.length > 0; batch = state.drain()) {
      const alone = batch.length <= mostAlone && state.isAlone(batch);
      // A statement by query() may do anything, and cannot be told from a statement of TypeORM.
      const unseen = alone ? undefined : new UnseenWrites(state.uncaptured);
      const dueEvents = await this.#dueEventsOf(batch, manager);
      // Rows are let go as soon as their messages are made.
      batch.length = 0;
      while (dueEvents.length > 0) {
        const page = dueEvents.splice(0, STAGED_TOGETHER);
        const messages = await this.messages.messagesOf(page, reader, { alone, unseen });
        if (messages.length === 0) continue;
        await this.pipeline.stage(messages, transaction);
        state.staged.push(...messages);
        // SQLite answers without a turn of the event loop.
        if (dueEvents.length > 0) await setImmediate();
      }
    }
  }

  async #dueEventsOf(
    collected: readonly CollectedItem[],
    manager: EntityManager,
  ): Promise<(DueEvent | Message)[]> {
    const { items, events } = this.messages.heardAmong(collected);
    return dueEventsOf(await identifyLinks(items, manager), events);
  }

  /** All rows of one statement together. */
  #sendUnframed(state: ConnectionState, { queryRunner, manager }: OnConnection): Promise<void> {
    const send = async () => {
      state.sending = undefined;
      const unframed = state.unframed.splice(0);
      this.refuseByHand(queryRunner);
      try {
        const dueEvents = await this.#dueEventsOf(unframed, manager);
        const messages = await this.messages.messagesOf(dueEvents, new ManagerRows(manager));
        if (messages.length === 0) return;
        await this.pipeline.stage(messages);
        this.pipeline.release(messages);
      } catch (error) {
        // The row is stored already: the caller's write has not failed.
        this.#faults.report('Sending the events of writes outside of a transaction failed', error);
      }
    };
    state.sending ??= Promise.resolve().then(send);
    return state.sending;
  }

  #refuseByHand(queryRunner: QueryRunner | undefined, what: string): void {
    this.byHand.refuse(queryRunner, queryRunner && this.connections.of(queryRunner), what);
  }
}
