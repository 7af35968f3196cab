import type { Message } from '../message/index.js';
import type { Row } from './outbox-database.js';
import type { Shard } from './shard.js';

/** Of a message that is there, and cannot be read now. */
export const UNREADABLE: unique symbol = Symbol('cannot be read now');

/** The message of a row; null when its body was dropped. */
export function readable(shard: Shard, row: Row): Message | typeof UNREADABLE | null {
  try {
    return shard.rows.messageOf(row);
  } catch {
    return UNREADABLE;
  }
}
