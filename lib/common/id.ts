import { randomFillSync } from 'node:crypto';

/** What an id names; the prefix makes a stray id in a log recognisable. */
export type IdPrefix = 'msg_' | 'dlv_' | 'sub_';

const LATEST = 2 ** 48 - 1;
const POOL_BYTES = 4096;
const RANDOM_BYTES = 10;
// randomFillSync costs about a microsecond a call: one call fills many ids.
const pool = Buffer.alloc(POOL_BYTES);
let poolOffset = POOL_BYTES;

// What an id can look like in any storage; anything else cannot be one, and some databases refuse it as a parameter.
const ID = /^[\x21-\x7e]{1,64}$/;

/** Whether the value can be an id at all, ours or that of another repository. */
export function isIdLike(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

/** What every id of that time or later is behind, in the order of texts. */
export function firstIdAt(prefix: IdPrefix, time: number): string {
  const stamp = Math.min(Math.max(0, Math.ceil(time)), LATEST)
    .toString(16)
    .padStart(12, '0');
  return `${prefix}${stamp.slice(0, 8)}-${stamp.slice(8)}`;
}

/** The time that an id was made with, or null when it is none of {@link newId}'s. */
export function timeFromId(id: string): number | null {
  const [, high, low] = /^[a-z]{3}_([0-9a-f]{8})-([0-9a-f]{4})-/.exec(id) ?? [];
  return high === undefined ? null : Number.parseInt(high + low!, 16);
}

/**
 * A UUIDv7 (RFC 9562, section 5.7) behind a prefix: sorts by creation time, so that database indexes grow at one end.
 * Contains no dot, as Standard Webhooks demands of message ids.
 *
 * @param time milliseconds since the Unix epoch, from the injected {@link Clock}
 */
export function newId(prefix: IdPrefix, time: number): string {
  if (poolOffset + RANDOM_BYTES > POOL_BYTES) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  const stamp = time.toString(16).padStart(12, '0');
  pool[poolOffset] = (pool[poolOffset]! & 0x0f) | 0x70;
  pool[poolOffset + 2] = (pool[poolOffset + 2]! & 0x3f) | 0x80;
  const random = pool.toString('hex', poolOffset, poolOffset + RANDOM_BYTES);
  poolOffset += RANDOM_BYTES;
  return `${prefix}${stamp.slice(0, 8)}-${stamp.slice(8)}-${random.slice(0, 4)}-${random.slice(4, 8)}-${random.slice(8)}`;
}
