import type { DataSource, QueryRunner } from 'typeorm';
import { SqliteTransactions } from '../../typeorm/index.js';
import { TransactionByHandError } from './transaction-by-hand.error.js';

/** A connection of pg: since 8.21 it tells the status that PostgreSQL answers with each result. */
interface Connection {
  getTransactionStatus?(): string | null;
}

const COMMENTS = String.raw`(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*`;
const WORK = String.raw`(?:\s+(?:WORK|TRANSACTION))?\s+`;
/** Statements that begin a transaction, and those that end one and begin no other. */
const CONTROL = new RegExp(
  String.raw`^${COMMENTS}(?:(BEGIN|START\s+TRANSACTION)|COMMIT|END|ROLLBACK|ABORT)\b(?!${WORK}(?:TO|AND\s+CHAIN)\b)`,
  'i',
);
/** Statements that undo a part of a transaction. The savepoints of TypeORM have hooks. */
const UNDO = new RegExp(String.raw`^${COMMENTS}ROLLBACK${WORK}TO\b(?![^]*\btypeorm_\d+)`, 'i');

/** Tells whether a statement is the end of a savepoint of which TypeORM tells nothing. */
export function undoesByHand(sql: string): boolean {
  return UNDO.test(sql);
}

/**
 * Notices the transactions of a data source that were begun by hand, as with `query('BEGIN')`. TypeORM does not tell their
 * end, so that events of writes within could be sent although they are rolled back: those are refused.
 *
 * A BEGIN that is hidden in a text of several statements is noticed on SQLite, and on PostgreSQL with pg 8.21 or newer.
 */
export class TransactionsByHand {
  readonly #begun = new WeakSet<object>();

  constructor(private readonly dataSource: DataSource) {}

  /** A statement is about to be run. */
  statement(queryRunner: QueryRunner, sql: string): void {
    const control = CONTROL.exec(sql);
    const connection = control && connectionOf(queryRunner);
    if (!connection) return;
    if (control[1] === undefined) this.#begun.delete(connection);
    else if (!queryRunner.isTransactionActive) this.#begun.add(connection);
  }

  /**
   * Refuses what has events in such a transaction, also within one that TypeORM has begun in it.
   *
   * @param queryRunner undefined when it is not known yet
   * @throws {@link TransactionByHandError}
   */
  refuse(queryRunner: QueryRunner | undefined, what: string): void {
    if (this.#isOpen(queryRunner)) throw TransactionByHandError.of(what, this.dataSource);
  }

  #isOpen(queryRunner: QueryRunner | undefined): boolean {
    // On SQLite every caller has the same connection.
    const sqlite = SqliteTransactions.of(this.dataSource);
    if (sqlite !== undefined) return sqlite.isBegunByHand;
    const connection = queryRunner?.isReleased === false ? connectionOf(queryRunner) : undefined;
    if (queryRunner === undefined || connection === undefined) return false;
    const status = queryRunner.isTransactionActive ? null : connection.getTransactionStatus?.();
    return typeof status === 'string' ? status !== 'I' : this.#begun.has(connection);
  }
}

/** Undefined before the first statement. */
function connectionOf(queryRunner: QueryRunner): (Connection & object) | undefined {
  return Reflect.get(queryRunner, 'databaseConnection') as (Connection & object) | undefined;
}
