import { randomFillSync } from 'node:crypto';

/** The prefix of an id, which makes a stray id in a log recognisable. */
export type IdPrefix = 'msg_' | 'dlv_' | 'sub_';

const LATEST = 2 ** 48 - 1;
const RANDOM_BYTES = 10;
// Both randomFillSync and the hexadecimal form cost about a microsecond a call: one call fills many ids.
const bytes = Buffer.alloc(400 * RANDOM_BYTES);
let pool = '';
let poolOffset = 0;
let lastTime = Number.NaN;
let lastStamp = '';

// The form of ids in any storage; other texts cannot be ids, and some databases reject them as parameters.
const ID = /^[\x21-\x7e]{1,64}$/;

/** True when the value can be an id, of this library or of another repository. */
export function isIdLike(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

/** The smallest id of a given time, in text order. */
export function firstIdAt(prefix: IdPrefix, time: number): string {
  return `${prefix}${timePart(time)}-7000-8000-000000000000`;
}

/** The time that an id begins with, in milliseconds since the Unix epoch. */
export function timeFromId(id: string): number {
  return Number.parseInt(id.slice(4, 12) + id.slice(13, 17), 16);
}

/** The first two groups of a UUIDv7 of that time. */
export function timePart(time: number): string {
  const stamp = Math.min(Math.max(0, Math.ceil(time)), LATEST)
    .toString(16)
    .padStart(12, '0');
  return `${stamp.slice(0, 8)}-${stamp.slice(8)}`;
}

/**
 * A UUIDv7 (RFC 9562, section 5.7) behind a prefix: sorts by creation time, so that database indexes grow at one end.
 * Contains no dot, as Standard Webhooks demands of message ids.
 *
 * @param time milliseconds since the Unix epoch, from the injected {@link Clock}
 */
export function newId(prefix: IdPrefix, time: number): string {
  if (poolOffset === pool.length) fillPool();
  if (time !== lastTime) {
    const stamp = time.toString(16).padStart(12, '0');
    lastStamp = `${stamp.slice(0, 8)}-${stamp.slice(8)}`;
    lastTime = time;
  }
  const at = poolOffset;
  poolOffset += 2 * RANDOM_BYTES;
  return `${prefix}${lastStamp}-${pool.slice(at, at + 4)}-${pool.slice(at + 4, at + 8)}-${pool.slice(at + 8, poolOffset)}`;
}

/** Makes the parts of many ids that follow the time. */
function fillPool(): void {
  randomFillSync(bytes);
  for (let at = 0; at < bytes.length; at += RANDOM_BYTES) {
    bytes[at] = (bytes[at]! & 0x0f) | 0x70;
    bytes[at + 2] = (bytes[at + 2]! & 0x3f) | 0x80;
  }
  pool = bytes.toString('hex');
  poolOffset = 0;
}
