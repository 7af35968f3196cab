import type { DataSource, QueryRunner } from 'typeorm';
import { hasTransaction } from '../transaction-status.js';
import { isInTransaction } from '../private-properties.js';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import type { ConnectionState } from '../connection/connection-state.js';
import { TransactionByHandError } from '../errors.js';

type Status = Pick<ConnectionState, 'isWithinOther' | 'isOpenAfterWrite'>;

/**
 * Refuses writes with events in transactions that were begun by hand, for example with `query('BEGIN')`. TypeORM does
 * not report how such a transaction ends, so its events could be sent although it is rolled back.
 *
 * The driver knows whether a transaction is open: `pg` since 8.21, better-sqlite3 always, MariaDB and MySQL with the
 * result of each write.
 */
export class TransactionsByHand {
  /** @param transactions that TypeORM has begun */
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: { readonly hasOpen: boolean },
  ) {}

  /**
   * Refuses a write with events in such a transaction, also when TypeORM has begun a transaction inside it.
   *
   * @param queryRunner undefined when it is not known yet
   * @param state of its connection
   * @throws {@link TransactionByHandError}
   */
  refuse(queryRunner: QueryRunner | undefined, state: Status | undefined, what: string): void {
    const isByHand =
      this.dataSource.options.type === 'better-sqlite3'
        ? // Every caller has the same connection.
          queryRunner?.isTransactionActive !== true &&
          !this.transactions.hasOpen &&
          isInTransaction(this.dataSource)
        : queryRunner?.isReleased === false && state !== undefined && isOpen(queryRunner, state);
    if (isByHand) throw TransactionByHandError.of(what, this.dataSource);
  }
}

/**
 * Tells whether a COMMIT or ROLLBACK by hand has ended a transaction that TypeORM is about to commit. On SQLite, the
 * statements of the transaction are refused from then on.
 */
export function isEnded(queryRunner: QueryRunner, state: Status): boolean {
  const { type } = dataSourceOf(queryRunner).options;
  if (type === 'better-sqlite3') return false;
  return (hasTransaction(queryRunner) ?? state.isOpenAfterWrite) === false;
}

function isOpen(queryRunner: QueryRunner, state: Status): boolean {
  if (queryRunner.isTransactionActive) return state.isWithinOther;
  return (hasTransaction(queryRunner) ?? state.isOpenAfterWrite) === true;
}
