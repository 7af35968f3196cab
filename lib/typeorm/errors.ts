import { ThornError } from '../errors/index.js';

// The main entry exports errors of this file: nothing here may name the package typeorm, which is optional.
interface DataSource {
  readonly options: { readonly type: string; readonly database?: unknown };
}

/**
 * Thrown when the library cannot tell which rows a bulk write changes, so that its events could be wrong:
 *
 * - before a write that would hit more rows than `bulkLimit`;
 * - for an update that sets a primary key;
 * - for a write that has hit other rows than its condition had matched;
 * - with `bulk: 'throw'` before any write that does not say which rows of an entity with events it hits.
 */
export class BulkWriteError extends ThornError {
  readonly code = 'THORN_BULK_WRITE';

  constructor(message: string, data: Readonly<Record<string, unknown>>) {
    super(message, data);
  }
}

/**
 * Thrown when an `upsert()`, `orUpdate()` or `orIgnore()` may have created a row or changed one, and the library cannot
 * tell which. Nothing of it is stored. If another transaction has inserted the row meanwhile, repeat the transaction.
 */
export class WriteUnclearError extends ThornError {
  readonly code = 'THORN_WRITE_UNCLEAR';

  private constructor(entity: string, text: string, cause?: unknown) {
    super(`${entity}: ${text}`, { entity, operation: 'upsert' });
    if (cause !== undefined) this.cause = cause;
  }

  /** @param cause the error of the database, where it has told */
  static ofRace(entity: string, cause?: unknown): WriteUnclearError {
    return new WriteUnclearError(
      entity,
      'another transaction inserted a row with the key of an upsert at the same moment, so it is not known whether the upsert has created the row or changed it. Nothing of it is stored. Repeat the transaction. If that does not help, a unique index of the table is missing in the entity: declare it with @Index({ unique: true })',
      cause,
    );
  }

  static ofHook(entity: string): WriteUnclearError {
    return new WriteUnclearError(
      entity,
      'a hook of the application, such as beforeInsert, changed a unique value of an upsert after the existing rows had been read. Nothing of it is stored. Set the value before the upsert',
    );
  }
}

/**
 * Thrown for a write with events in a transaction, or a savepoint, that was begun by SQL: TypeORM does not report how
 * it ends.
 */
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
      "The transaction, or a savepoint of it, was rolled back by query('ROLLBACK'), and the events of writes that it has undone could be sent. The transaction cannot be committed. Roll it back with rollbackTransaction(), and use transaction() of its manager instead of SAVEPOINT",
      dataSource,
    );
  }
}

/** Thrown when a write on SQLite has waited too long for another transaction. */
export class TransactionTimeoutError extends ThornError {
  readonly code = 'THORN_TRANSACTION_TIMEOUT';

  /** @param timeout milliseconds */
  constructor(timeout: number) {
    super(
      `Nothing was written: another transaction has held the connection of SQLite for ${timeout} ms. ` +
        'If this call is inside a transaction, write through its manager, as manager.getRepository(Order) does: another ' +
        'repository waits for the transaction to end, and the transaction waits for the call. Otherwise keep ' +
        'transactions short, or set serializeTransactions: { timeout } in ThornModule.',
      { timeout },
    );
  }
}

/** Names a data source in error texts, since it has no name of its own. */
export function dataSourceName({ options }: DataSource): string {
  return typeof options.database === 'string'
    ? `${options.type} ${options.database}`
    : options.type;
}
