import { randomInt, randomUUID } from 'node:crypto';

/** The prefix of an id, which makes a stray id in a log recognisable. */
export type IdPrefix = 'msg_' | 'dlv_' | 'sub_' | 'chg_';

const LATEST = 2 ** 48 - 1;
/** The counts of a millisecond. */
const COUNTS = 0x1000;
let lastTime = Number.NaN;
let lastTimePart = '';
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
  if (time !== lastTime) {
    count = randomInt(COUNTS / 2);
    lastTime = time;
    lastTimePart = timePart(time);
  }
  // The version, and the counter.
  const group = (0x7000 + count).toString(16);
  count = Math.min(count + 1, COUNTS - 1);
  // The last two groups of any UUID are a variant and random bits.
  return `${prefix}${lastTimePart}-${group}-${randomUUID().slice(19)}`;
}
