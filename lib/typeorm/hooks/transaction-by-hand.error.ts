import type { DataSource } from 'typeorm';
import { ThornError } from '../../errors/index.js';
import { dataSourceName } from '../rows/data-source-name.js';

/** Thrown for what has events in a transaction, or a savepoint, that was begun by SQL: TypeORM does not tell how that ends. */
export class TransactionByHandError extends ThornError {
  readonly code = 'THORN_TRANSACTION_BY_HAND';

  private constructor(message: string, dataSource: DataSource) {
    super(message, { dataSource: dataSourceName(dataSource) });
  }

  /** @param what the beginning of the message */
  static of(what: string, dataSource: DataSource): TransactionByHandError {
    return new TransactionByHandError(
      `${what} in a transaction that was begun by query('BEGIN'), and its events could be sent although it is rolled back. Roll it back, and use dataSource.transaction() or queryRunner.startTransaction() in place of BEGIN`,
      dataSource,
    );
  }

  static ofRollback(dataSource: DataSource): TransactionByHandError {
    return new TransactionByHandError(
      "The transaction, or a savepoint of it, was rolled back by query('ROLLBACK'), and events could be sent of what that has undone. The transaction cannot be committed: roll it back with rollbackTransaction(), and use transaction() of its manager in place of SAVEPOINT",
      dataSource,
    );
  }
}
