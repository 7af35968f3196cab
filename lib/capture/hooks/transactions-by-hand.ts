import type { DataSource, EntitySubscriberInterface, QueryRunner } from 'typeorm';
import { noteTransactionByHand } from '../../common/typeorm-compat.js';
import type { Message } from '../../message/index.js';
import { SqliteTransactions } from '../../sqlite/index.js';
import { isPostgres } from '../rows/row-lock.js';
import type { AfterQueryEvent } from '../rows/typeorm-types.js';
import { TransactionFrames } from '../changes/transaction-frames.js';
import {
  parseControl,
  type SavepointControl,
  type TransactionControl,
} from './transaction-control.js';

/** A connection of pg: since 8.21 it tells the status that PostgreSQL answers with each result. */
interface Connection {
  getTransactionStatus?(): unknown;
}

/** The messages that wait for the end of a transaction. */
interface Waiting {
  readonly queryRunner: QueryRunner;
  readonly messages: TransactionFrames<Message>;
}

/** Is told what is known of transactions by their statements. */
interface Listener {
  /** Messages whose transaction has committed. */
  release(messages: readonly Message[]): void;
  /** A savepoint by hand, within a transaction of TypeORM, has begun or ended. */
  savepoint(queryRunner: QueryRunner, control: SavepointControl): void;
  /** PostgreSQL has answered the COMMIT of a transaction of TypeORM with a ROLLBACK: the transaction had failed. */
  failed(queryRunner: QueryRunner): void;
}

/** What TypeORM tells of a statement that it has run. */
type Ran = Pick<AfterQueryEvent, 'queryRunner' | 'query' | 'success' | 'rawResults'>;

/** Savepoints of which TypeORM tells by hooks. */
const OF_TYPEORM = /^typeorm_\d+$/;

/**
 * Knows the transactions of a data source that were begun by hand, as with `query('BEGIN')`, and the savepoints by hand
 * within others. TypeORM knows nothing of them: a transaction that it began on the same connection would end the one by
 * hand.
 *
 * No hook tells when their messages have to be staged, so they are staged with each write. They are released after the
 * COMMIT. Where that is not seen, as in a text of several statements, workers find what is stored.
 */
export class TransactionsByHand {
  /** Connections that tell no status, and on which a transaction was begun. */
  readonly #begun = new WeakSet<object>();
  #isWatching = false;
  readonly #waiting = new Map<object, Waiting>();
  /** Those in a transaction of TypeORM that has savepoints by hand, or is about to commit. */
  readonly #watched = new Set<QueryRunner>();

  /** @param subscriber gets a hook for the end of statements while it is needed: TypeORM calls it for each statement */
  constructor(
    private readonly dataSource: DataSource,
    private readonly subscriber: EntitySubscriberInterface,
    private readonly listener: Listener,
  ) {}

  /** A statement is about to be run. */
  statement(queryRunner: QueryRunner, sql: string): void {
    const control = parseControl(sql);
    if (control === undefined) return;
    if (queryRunner.isTransactionActive) {
      if (isSavepointByHand(control)) this.#watch(queryRunner);
      // TypeORM's own need not be watched before there is one by hand.
      if (!this.#isWatching) return;
    }
    const { does, chains = false } = control;
    if (chains) return;
    const connection = connectionOf(queryRunner);
    if (connection === undefined) return;
    if (does === 'begin') {
      this.#isWatching = true;
      this.#begun.add(connection);
    } else if (does === 'commit' || does === 'rollback') this.#begun.delete(connection);
  }

  /** Tells whether a connection is in a transaction that TypeORM has not begun. */
  isOpen(queryRunner: QueryRunner): boolean {
    if (queryRunner.isTransactionActive || queryRunner.isReleased) return false;
    const sqlite = SqliteTransactions.of(this.dataSource);
    if (sqlite !== undefined) return sqlite.isBegunByHand;
    const connection = connectionOf(queryRunner);
    if (connection === undefined) return false;
    const status = connection.getTransactionStatus?.();
    if (status === 'I') return false;
    return status === 'T' || status === 'E' || this.#begun.has(connection);
  }

  /** Lets the outbox know that a connection is in such a transaction. */
  note(queryRunner: QueryRunner): void {
    noteTransactionByHand(queryRunner, () => this.isOpen(queryRunner));
  }

  /** A transaction of TypeORM is about to commit. PostgreSQL may answer that with a rollback. */
  watchCommit(queryRunner: QueryRunner): void {
    if (isPostgres(this.dataSource)) this.#watch(queryRunner);
  }

  /** Looks at how the statements of a transaction of TypeORM end, until it does. */
  #watch(queryRunner: QueryRunner): void {
    if (this.#watched.has(queryRunner)) return;
    this.#watched.add(queryRunner);
    this.#listen();
  }

  /** Keeps messages that are staged in such a transaction until its end. */
  hold(queryRunner: QueryRunner, messages: readonly Message[]): void {
    if (messages.length === 0) return;
    this.#isWatching = true;
    const key = this.#keyOf(queryRunner);
    let waiting = this.#waiting.get(key);
    if (waiting === undefined) {
      waiting = { queryRunner, messages: new TransactionFrames() };
      waiting.messages.begin();
      this.#waiting.set(key, waiting);
      this.#listen();
    }
    for (const message of messages) waiting.messages.add(message);
  }

  /** The transaction of a connection has ended. */
  end(queryRunner: QueryRunner, isCommitted: boolean): void {
    if (this.#watched.delete(queryRunner)) this.#ignore();
    if (!this.#isWatching) return;
    const connection = connectionOf(queryRunner);
    // A COMMIT that messages travel with is not seen.
    if (connection !== undefined) this.#begun.delete(connection);
    const key = this.#keyOf(queryRunner);
    const messages = this.#waiting.get(key)?.messages;
    if (messages === undefined) return;
    this.#waiting.delete(key);
    this.#ignore();
    if (isCommitted) this.listener.release(messages.close());
  }

  #listen(): void {
    this.subscriber.afterQuery = (ran) => this.#ran(ran);
  }

  #ignore(): void {
    if (this.#waiting.size + this.#watched.size > 0) return;
    // Not deleted: that makes an object slow, and this one is asked for with each statement.
    Reflect.set(this.subscriber, 'afterQuery', undefined);
  }

  #ran(ran: Ran): void {
    const { queryRunner, query, success } = ran;
    for (const { queryRunner: other } of this.#waiting.values()) {
      if (other.isReleased && !this.#isShared) this.end(other, false);
    }
    for (const other of this.#watched) if (other.isReleased) this.end(other, false);
    const control = success ? parseControl(query) : undefined;
    if (this.#watched.has(queryRunner)) {
      if (isSavepointByHand(control)) this.listener.savepoint(queryRunner, control);
      else if (control?.does === 'commit' && isRollback(ran)) this.listener.failed(queryRunner);
    }
    const waiting = this.#waiting.get(this.#keyOf(queryRunner));
    if (waiting !== undefined) this.#ranByHand(ran, control, waiting);
  }

  #ranByHand(ran: Ran, control: TransactionControl | undefined, { messages }: Waiting): void {
    const { queryRunner } = ran;
    const { does, savepoint = '', chains = false } = control ?? {};
    const wasBegun = chains && this.#begun.has(connectionOf(queryRunner)!);
    if (does === 'commit') this.end(queryRunner, !isRollback(ran));
    else if (does === 'rollback') this.end(queryRunner, false);
    else if (does === 'savepoint') messages.savepoint(savepoint);
    else if (does === 'release') messages.release(savepoint);
    else if (does === 'rollback to') messages.rollbackTo(savepoint);
    else if (!queryRunner.isTransactionActive && !this.isOpen(queryRunner)) {
      this.end(queryRunner, false);
    }
    if (wasBegun) this.#begun.add(connectionOf(queryRunner)!);
  }

  /** On SQLite there is one connection for all query runners. */
  get #isShared(): boolean {
    return SqliteTransactions.of(this.dataSource) !== undefined;
  }

  #keyOf(queryRunner: QueryRunner): object {
    return this.#isShared ? this.dataSource : queryRunner;
  }
}

/** PostgreSQL answers so to the COMMIT of a transaction that has failed. */
function isRollback({ rawResults }: Ran): boolean {
  const { command } = (rawResults ?? {}) as { readonly command?: unknown };
  return command === 'ROLLBACK';
}

function isSavepointByHand(control: TransactionControl | undefined): control is SavepointControl {
  const savepoint = control?.savepoint;
  return savepoint !== undefined && !OF_TYPEORM.test(savepoint);
}

/** Undefined before the first statement. */
function connectionOf(queryRunner: QueryRunner): (Connection & object) | undefined {
  return Reflect.get(queryRunner, 'databaseConnection') as (Connection & object) | undefined;
}
