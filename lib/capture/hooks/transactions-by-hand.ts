import type { DataSource, EntitySubscriberInterface, QueryRunner } from 'typeorm';
import { noteTransactionByHand } from '../../common/typeorm-compat.js';
import type { Message } from '../../message/index.js';
import { SqliteTransactions } from '../../sqlite/index.js';
import type { AfterQueryEvent } from '../rows/typeorm-types.js';
import { parseControl } from './transaction-control.js';

/** A connection of pg: since 8.17 it tells the status that PostgreSQL answers with each result. */
interface Connection {
  getTransactionStatus?(): unknown;
}

/** The messages that wait for the end of a transaction. */
interface Waiting {
  readonly queryRunner: QueryRunner;
  readonly messages: Message[];
  /** The number of messages before each savepoint. */
  readonly savepoints: Map<string, number>;
}

/** What TypeORM tells of a statement that it has run. */
type Ran = Pick<AfterQueryEvent, 'queryRunner' | 'query' | 'success' | 'rawResults'>;

/**
 * Knows the transactions of a data source that were begun by hand, as with `query('BEGIN')`. TypeORM knows nothing of
 * them: a transaction that it began on the same connection would end the one by hand.
 *
 * No hook tells when their messages have to be staged, so they are staged with each write. They are released after the
 * COMMIT. Where that is not seen, as in a text of several statements, workers find what is stored.
 */
export class TransactionsByHand {
  /** Connections that tell no status, and on which a transaction was begun. */
  readonly #begun = new WeakSet<object>();
  #isWatching = false;
  readonly #waiting = new Map<object, Waiting>();

  /** @param subscriber gets a hook for the end of statements while messages wait: TypeORM calls it for each statement */
  constructor(
    private readonly dataSource: DataSource,
    private readonly subscriber: EntitySubscriberInterface,
    private readonly release: (messages: readonly Message[]) => void,
  ) {}

  /** A statement is about to be run. */
  statement(queryRunner: QueryRunner, sql: string): void {
    // TypeORM's own need not be watched before there is one by hand.
    if (queryRunner.isTransactionActive && !this.#isWatching) return;
    const { does, chains = false } = parseControl(sql) ?? {};
    if (does === undefined || chains) return;
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

  /** Keeps messages that are staged in such a transaction until its end. */
  hold(queryRunner: QueryRunner, messages: readonly Message[]): void {
    if (messages.length === 0) return;
    this.#isWatching = true;
    const key = this.#keyOf(queryRunner);
    let waiting = this.#waiting.get(key);
    if (waiting === undefined) {
      waiting = { queryRunner, messages: [], savepoints: new Map() };
      this.#waiting.set(key, waiting);
      this.subscriber.afterQuery = (ran) => this.#ran(ran);
    }
    waiting.messages.push(...messages);
  }

  /** The transaction of a connection has ended. */
  end(queryRunner: QueryRunner, isCommitted: boolean): void {
    if (!this.#isWatching) return;
    const connection = connectionOf(queryRunner);
    // A COMMIT that messages travel with is not seen.
    if (connection !== undefined) this.#begun.delete(connection);
    const key = this.#keyOf(queryRunner);
    const messages = this.#waiting.get(key)?.messages;
    if (messages === undefined) return;
    this.#waiting.delete(key);
    // Each statement would be asked for.
    if (this.#waiting.size === 0) Reflect.deleteProperty(this.subscriber, 'afterQuery');
    if (isCommitted) this.release(messages);
  }

  #ran({ queryRunner, query, success, rawResults }: Ran): void {
    for (const { queryRunner: other } of this.#waiting.values()) {
      if (other.isReleased && !this.#isShared) this.end(other, false);
    }
    const waiting = this.#waiting.get(this.#keyOf(queryRunner));
    if (waiting === undefined) return;
    const { messages, savepoints } = waiting;
    const { does, savepoint = '', chains = false } = (success && parseControl(query)) || {};
    const wasBegun = chains && this.#begun.has(connectionOf(queryRunner)!);
    if (does === 'commit') {
      // PostgreSQL answers so to the COMMIT of a transaction that has failed.
      const { command } = (rawResults ?? {}) as { readonly command?: unknown };
      this.end(queryRunner, command !== 'ROLLBACK');
    } else if (does === 'rollback') this.end(queryRunner, false);
    else if (does === 'savepoint') savepoints.set(savepoint, messages.length);
    else if (does === 'release') savepoints.delete(savepoint);
    else if (does === 'rollback to') messages.length = savepoints.get(savepoint) ?? 0;
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

/** Undefined before the first statement. */
function connectionOf(queryRunner: QueryRunner): (Connection & object) | undefined {
  return Reflect.get(queryRunner, 'databaseConnection') as (Connection & object) | undefined;
}
