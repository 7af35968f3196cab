import { ThornError } from '../../errors/index.js';

/**
 * Thrown for an `upsert()`, `orUpdate()` or `orIgnore()` of which nobody can tell whether it has created a row or changed
 * one: nothing of it is stored. Where another transaction has inserted the row meanwhile, repeat the transaction.
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
      'another transaction has inserted a row with the key of an upsert at the same moment, so nobody can tell whether the upsert has created the row or changed it. Nothing of it is stored: repeat the transaction. If that does not help, a unique index of the table is missing in the entity: declare it with @Index({ unique: true })',
      cause,
    );
  }

  static ofHook(entity: string): WriteUnclearError {
    return new WriteUnclearError(
      entity,
      'a hook of the application, such as beforeInsert, has changed a unique value of an upsert after its rows were looked for. Nothing of it is stored: set the value before the upsert',
    );
  }
}
