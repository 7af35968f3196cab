import { randomUUID } from 'node:crypto';
import { InvalidInputError } from '../../errors/index.js';
import { hashOf, insertIfAbsent } from './received-table.js';
import type { TransactionManager } from './sql-manager.js';
import { TransactionRequiredError } from './transaction-required.error.js';

/** What `processOnce` records. */
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
      'is missing: what the sender does not name cannot be told apart',
    );
  }
  if (manager.queryRunner?.isTransactionActive !== true) throw new TransactionRequiredError();
  const mine = { hash: hashOf('once', receiver, id), token: randomUUID(), expiresAt };
  // Whose row it is tells who was first, on every database alike: what they say of affected rows differs.
  const kept = await insertIfAbsent(manager, mine);
  return kept?.token === mine.token ? work() : undefined;
}
