import { randomUUID } from 'node:crypto';
import { InvalidInputError } from '../../errors/index.js';
import { insertIfAbsent } from './received-table.js';
import { hashOf } from './receiver-tables.js';
import type { TransactionManager } from './sql-manager.js';
import { TransactionRequiredError } from './transaction-required.error.js';

/** A record of `processOnce`. */
export interface ProcessedMessage {
  readonly receiver: string;
  readonly id: string | null;
  /** From when on the record may be purged, in milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

/** See `VerifiedWebhook.processOnce`, which is this for its own message. */
export async function processOnce<Result>(
  manager: TransactionManager,
  { receiver, id, expiresAt }: ProcessedMessage,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  if (id === null) {
    throw new InvalidInputError(
      'id',
      'is missing: without the id of a message, repetitions cannot be recognised',
    );
  }
  if (manager.queryRunner?.isTransactionActive !== true) throw new TransactionRequiredError();
  const mine = { hash: hashOf('once', receiver, id), token: randomUUID(), expiresAt };
  // The row shows which attempt was first; counts of affected rows differ between databases.
  const kept = await insertIfAbsent(manager, mine);
  return kept?.token === mine.token ? work() : undefined;
}
