import { ThornError } from '../../errors/index.js';

/** Thrown when a message that belongs to no transaction could not be stored, because SQLite was locked by one. */
export class OutboxLockedError extends ThornError {
  readonly code = 'THORN_OUTBOX_LOCKED';

  /** @param timeout milliseconds */
  constructor(timeout: number) {
    super(
      `Nothing was stored: another transaction has held the database for ${timeout} ms. Keep transactions short, raise queryTimeout in outbox({ … }), or send within the transaction: with { tx } or, after startTransaction() of TypeORM, with { manager: queryRunner.manager }`,
      { timeout },
    );
  }
}
