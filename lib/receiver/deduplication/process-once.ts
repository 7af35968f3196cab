import { randomUUID } from 'node:crypto';
import { InvalidInputError } from '../../errors/index.js';
import type { SqlManager } from '../../database/typeorm-client.js';
import { receivedRows } from './received-table.js';
import { hashOf } from './receiver-tables.js';
import { TransactionRequiredError } from '../../database/transaction-required.error.js';

/** A record of `processOnce`. */
export interface ProcessedMessage {
  readonly receiver: string;
  readonly id: string | null;
  /** From when on the record may be purged, in milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

/** See `VerifiedWebhook.processOnce`, which is this for its own message. */
export async function processOnce<Result>(
  manager: SqlManager,
  { receiver, id, expiresAt }: ProcessedMessage,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  if (id === null) {
    throw new InvalidInputError(
      'id',
      'is missing: without the id of a message, repetitions cannot be recognised',
    );
  }
  if (manager.queryRunner?.isTransactionActive !== true) {
    throw new TransactionRequiredError(
      'processOnce() needs the manager of an open transaction: dataSource.transaction((manager) => webhook.processOnce(manager, work)).',
    );
  }
  const mine = { hash: hashOf('once', receiver, id), token: randomUUID(), expires_at: expiresAt };
  const rows = receivedRows(manager);
  await rows.insertUnlessThere(mine);
  // The row shows which attempt was first; counts of inserted rows differ between databases.
  const [kept] = await rows.select('hash = ?', mine.hash);
  return kept?.token === mine.token ? work() : undefined;
}
