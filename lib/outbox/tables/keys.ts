import { createHash, hash } from 'node:crypto';
import { isIdLike } from '../../common/index.js';
import { InvalidInputError } from '../../errors/index.js';
import { BoundedCache } from '../../common/collections.js';
import { type IdPrefix, timePart } from '../../common/id.js';
import type { Statement } from '../../database/dialect.js';
import type { DeliveryRow, MessageRow } from './table-names.js';

/** Smaller than every other key. */
export const FIRST_KEY = '00000000-0000-0000-0000-000000000000';
/** Greater than every other key. */
export const LAST_KEY = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

// Version 5 for the hash of a text, 0 for the first key, 7 for all others. MariaDB refuses 8, which is meant for hashes.
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[057][0-9a-f]{3}-[089ab][0-9a-f]{3}-[0-9a-f]{12}';
const PREFIXED: Readonly<Record<IdPrefix, RegExp>> = {
  msg_: new RegExp(`^msg_${UUID}$`),
  dlv_: new RegExp(`^dlv_${UUID}$`),
  sub_: new RegExp(`^sub_${UUID}$`),
  chg_: new RegExp(`^chg_${UUID}$`),
};
const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const MOST_HASHES = 10_000;

/** Messages that one condition may name. */
const MESSAGES_PER_RANGE = 200;

/** Sizes of conditions: few, so that few statements are prepared. */
const SIZES = [1, 10, 50, 100, MESSAGES_PER_RANGE];

/**
 * Returns the UUID under which our tables store an id: that behind its prefix or, of an id that the application has
 * chosen, a hash. An id of the second kind is stored beside its key, see {@link givenId}.
 */
export function keyOf(prefix: IdPrefix, id: string): string {
  return keyAndGivenId(prefix, id)[0];
}

/** {@link keyOf} and {@link givenId} at once. */
export function keyAndGivenId(
  prefix: IdPrefix,
  id: string,
): readonly [key: string, given: string | null] {
  return PREFIXED[prefix].test(id) ? [id.slice(4), null] : [hashOf(id), id];
}

/** Returns the id when its key does not tell it, else null. */
export function givenId(prefix: IdPrefix, id: string): string | null {
  return PREFIXED[prefix].test(id) ? null : id;
}

/** Returns the id that {@link keyOf} and {@link givenId} were made of. */
export function idFrom(prefix: IdPrefix, key: unknown, given: unknown): string {
  return (given as string | null) ?? prefix + (key as string);
}

/** The row of a message, with its id in place of its key. */
export function withMessageId<Message extends Pick<MessageRow, 'id' | 'given_id'>>(
  row: Message,
): Message {
  return { ...row, id: idFrom('msg_', row.id, row.given_id) };
}

/** The columns that {@link pairOf} reads. */
export type PairColumns = Pick<
  DeliveryRow,
  'message_id' | 'subscriber_id' | 'given_message_id' | 'given_subscriber_id'
>;

/** Returns the ids of the message and the subscriber of a delivery's row. */
export function pairOf(row: PairColumns): {
  readonly messageId: string;
  readonly subscriberId: string;
} {
  return {
    messageId: idFrom('msg_', row.message_id, row.given_message_id),
    subscriberId: idFrom('sub_', row.subscriber_id, row.given_subscriber_id),
  };
}

/**
 * Returns the id of the delivery of a message to a subscriber, which is the same in every process: the primary key alone
 * keeps a pair from having two rows.
 *
 * A UUIDv7 with the time of the message, 12 bits of its key, and a hash of the pair. So deliveries are listed in the
 * order of their messages, and those of one message are found as a range of the primary key.
 */
export function deliveryId({ id, time }: MessageCursor, subscriberId: string): string {
  if (id !== latest.id || time !== latest.time) latest = partsOf(id, time);
  const [high, low] = subscriberHash(subscriberId);
  // The ids of two deliveries of one message differ wherever the hashes of their subscribers differ.
  const first = ((latest.high ^ high) & 0x3fff_ffff) | 0x8000_0000;
  const second = latest.low ^ low;
  return `${latest.start}${hexOf(first >>> 16)}-${hexOf(first)}${hexOf(second >>> 16)}${hexOf(second)}`;
}

/** The part of a message in the ids of its deliveries, which are made one after the other. */
let latest = partsOf(`msg_${FIRST_KEY}`, 0);

function partsOf(id: string, time: number) {
  const key = keyOf('msg_', id);
  return {
    id,
    time,
    start: `dlv_${rangeOf(key, time)}`,
    high: Number.parseInt(key.slice(19, 23) + key.slice(24, 28), 16),
    low: Number.parseInt(key.slice(28), 16),
  };
}

/** The last 16 bits in hexadecimal form: toString() would take three times as long. */
function hexOf(bits: number): string {
  return BYTES[(bits >>> 8) & 0xff]! + BYTES[bits & 0xff]!;
}

/** Returns the first and the last key that a delivery of a message may have. */
export function deliveryKeys({ id, time }: MessageCursor): readonly [first: string, last: string] {
  const start = rangeOf(keyOf('msg_', id), time);
  return [`${start}8000-000000000000`, `${start}bfff-ffffffffffff`];
}

/**
 * A condition on the rows `d` of `thorn_deliveries`: those of at most {@link MESSAGES_PER_RANGE} messages, as ranges of
 * the primary key.
 */
export function isOfMessages(messages: readonly MessageCursor[]): Statement {
  const size = SIZES.find((one) => one >= messages.length)!;
  const parameters = messages.flatMap((one) => [...deliveryKeys(one), keyOf('msg_', one.id)]);
  const filling = parameters.slice(-3);
  for (let count = messages.length; count < size; count++) parameters.push(...filling);
  const range = '(d.id >= ? AND d.id <= ? AND d.message_id = ?)';
  return { sql: `(${Array.from({ length: size }, () => range).join(' OR ')})`, parameters };
}

/** Sets of messages that are small enough for {@link isOfMessages}. */
export function rangesOf<Message extends MessageCursor>(
  messages: readonly Message[],
): readonly (readonly Message[])[] {
  const sets: Message[][] = [];
  for (let at = 0; at < messages.length; at += MESSAGES_PER_RANGE) {
    sets.push(messages.slice(at, at + MESSAGES_PER_RANGE));
  }
  return sets;
}

function rangeOf(message: string, time: number): string {
  return `${timePart(time)}-7${message.slice(15, 18)}-`;
}

const hashes = new BoundedCache<string, readonly [number, number]>(MOST_HASHES);

function subscriberHash(id: string): readonly [number, number] {
  let hash = hashes.get(id);
  if (hash === undefined) {
    const digest = createHash('sha256').update(id).digest();
    hashes.set(id, (hash = [digest.readInt32BE(0), digest.readInt32BE(4)]));
  }
  return hash;
}

/** Returns a text's hash as a UUID. */
export function hashOf(text: string): string {
  // A quarter of the time of an object of createHash(), and nothing to collect.
  const hex = hash('sha256', text, 'hex');
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The position in a scan of messages, oldest first. */
export interface MessageCursor {
  readonly time: number;
  readonly id: string;
}

/**
 * Checks the position among deliveries at which a list or a bulk operation goes on.
 *
 * @throws {@link InvalidInputError} whose `field` is `after`
 */
export function checkPosition(after: string | null, of: 'page' | 'call'): void {
  if (after !== null && !(isIdLike(after) && after.startsWith('dlv_'))) {
    throw new InvalidInputError('after', `must be the "next" of an earlier ${of}`);
  }
}

/** Parses the text that {@link formatCursor} has written. @throws {@link InvalidInputError} for any other one */
export function parseCursor(text: string): MessageCursor {
  const [, time, id] = /^(\d{1,16}):(.+)$/.exec(text) ?? [];
  if (time === undefined || !isIdLike(id)) {
    throw new InvalidInputError('after', 'must be the "next" of an earlier call');
  }
  return { time: Number(time), id };
}

/** Writes a cursor as a text. */
export function formatCursor({ time, id }: MessageCursor): string {
  return `${time}:${id}`;
}

/** Returns the position of a message's row, whose `id` is that of the message. */
export function cursorOf(row: Readonly<Record<string, unknown>>): MessageCursor {
  return { time: Number(row['time']), id: row['id'] as string };
}
