import { randomFillSync, randomInt } from 'node:crypto';

/** The prefix of an id, which makes a stray id in a log recognisable. */
export type IdPrefix = 'msg_' | 'dlv_' | 'sub_';

const LATEST = 2 ** 48 - 1;
const RANDOM_BYTES = 8;
/** The random bytes of an id in hexadecimal form, in groups of 4 and 12 digits with a dash before each. */
const RANDOM_PART = 18;
const HEX = Buffer.from('0123456789abcdef');
const DASH = 0x2d;
// Calls of randomFillSync and of the text's conversion cost about a microsecond: one of each makes many ids.
const POOLED = 400;
const bytes = Buffer.alloc(POOLED * RANDOM_BYTES);
const text = Buffer.alloc(POOLED * RANDOM_PART, DASH);
let pool = '';
let poolOffset = 0;
let lastTime = Number.NaN;
let lastPrefix = '';
let lastStart = '';
/** The version and the counter of a millisecond: the third group of an id. */
const COUNTS = Array.from({ length: 0x1000 }, (_, count) => (0x7000 + count).toString(16));
let count = 0;

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
 * The ids of a millisecond sort as this process made them, by a counter with a random start (section 6.2, method 1);
 * beyond 2,048 of them, at random. Contains no dot, as Standard Webhooks demands of message ids.
 *
 * @param time milliseconds since the Unix epoch, from the injected {@link Clock}
 */
export function newId(prefix: IdPrefix, time: number): string {
  if (poolOffset === pool.length) fillPool();
  if (time !== lastTime) {
    count = randomInt(COUNTS.length / 2);
    lastPrefix = '';
  }
  if (prefix !== lastPrefix) {
    const stamp = time.toString(16).padStart(12, '0');
    lastStart = `${prefix}${stamp.slice(0, 8)}-${stamp.slice(8)}-`;
    lastTime = time;
    lastPrefix = prefix;
  }
  const at = poolOffset;
  poolOffset += RANDOM_PART;
  const group = COUNTS[count]!;
  count = Math.min(count + 1, COUNTS.length - 1);
  return lastStart + group + pool.slice(at, poolOffset);
}

/** Makes the random parts of many ids. */
function fillPool(): void {
  randomFillSync(bytes);
  let to = 0;
  for (let at = 0; at < bytes.length; at++) {
    const part = at % RANDOM_BYTES;
    let byte = bytes[at]!;
    if (part === 0) byte = (byte & 0x3f) | 0x80;
    // The dashes are there already.
    if (part === 0 || part === 2) to += 1;
    text[to++] = HEX[byte >> 4]!;
    text[to++] = HEX[byte & 0x0f]!;
  }
  pool = text.toString('latin1');
  poolOffset = 0;
}
