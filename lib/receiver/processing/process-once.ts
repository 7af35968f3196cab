import { randomUUID } from 'node:crypto';
import { InvalidInputError } from '../../errors/index.js';
import { hashOf, ReceivedTable } from './received-table.js';

export interface ProcessedMessage {
  readonly receiver: string;
  readonly id: string | null;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** Milliseconds after which the record may be deleted. */
  readonly retention: number;
}

/** @param table undefined: that of the data source that the transaction belongs to */
export async function processOnce<Result>(
  table: ReceivedTable | undefined,
  transaction: unknown,
  { receiver, id, now, retention }: ProcessedMessage,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  if (id === null) {
    throw new InvalidInputError(
      'id',
      'is missing: without the id of a message, repetitions cannot be recognised',
    );
  }
  const known = table ?? ReceivedTable.of(transaction);
  const rows = await known.join(transaction);
  const hash = hashOf('once', receiver, id);
  const token = randomUUID();
  const record = { sequence: 1, token, leased_until: now, kept_until: now + retention };
  await rows.insertUnlessThere({ hash, ...record });
  // The row shows which attempt was first; counts of inserted rows differ between databases.
  const isFirst = await rows.has('hash = ? AND token = ?', hash, token);
  if (!isFirst) await rows.assertThere('hash = ?', hash);
  known.purgeIfDue(now);
  return isFirst ? work() : undefined;
}
