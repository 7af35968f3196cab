import type { Columns, Statement } from '../../database/dialect.js';
import type { Target } from './table-names.js';

/** A message whose ordered deliveries enter their queues. */
export interface EnteringMessage {
  readonly id: string;
  readonly lease: string;
}

const HELD: Columns = { id: 'uuid', lease: 'text' };

/** Lets later messages of their keys go on: these have their deliveries. Index: the primary key. */
export function clearKeyById({ dialect, tables }: Target, messages: readonly EnteringMessage[]) {
  const statement: Statement = {
    sql: dialect.updateFrom(
      tables.pendingMessages,
      ['key_hash = NULL'],
      dialect.rows('r', HELD),
      't.id = r.id AND t.lease = r.lease',
    ),
    parameters: [dialect.rowsParameter(HELD, messages)],
  };
  return statement;
}
