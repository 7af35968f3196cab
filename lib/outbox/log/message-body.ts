import { wants } from '../../dispatch/index.js';
import type { RecipientFinder } from '../../dispatch/recipients/recipient-finder.js';
import { InvalidInputError } from '../../errors/index.js';
import { checkMessageId, hasEnded, type Message, type Recipient } from '../../message/index.js';
import { isActive, type OwnerScope, type Subscriber } from '../../subscriber/index.js';
import { readable, UNREADABLE } from '../retry/current-hosts.js';
import { isFor } from '../retry/replay.js';
import type { OutboxStore } from '../store/outbox-store.js';
import { selectDelivery } from '../tables/delivery-log.js';
import { deliveryId } from '../tables/keys.js';

/** A reader of the body of a message: one subscriber, stored or static, or the owner of subscribers. */
export type MessageReader = Subscriber | Recipient | Exclude<OwnerScope, 'any'>;

/** The body of a message, which a subscriber gets without `thin`. */
export interface MessageBody {
  readonly event: string;
  /** The body as JSON; null when it was dropped. */
  readonly json: Buffer | null;
}

/** Reads the body of a message; null when there is none of that id that the reader may see. */
export async function messageBody(
  store: OutboxStore,
  id: string,
  reader: MessageReader,
  now: number,
): Promise<MessageBody | null> {
  if (!isMessageId(id)) return null;
  const [row] = await store.messages.load([id]);
  if (row === undefined) return null;
  const message = readable(store, row);
  if (message === UNREADABLE || !(await isSeen(store, row, message, reader, now))) return null;
  return { event: row.event, json: message?.json ?? null };
}

/**
 * Finds the static subscriber of an id that gets a message; null when there is none. Of a message whose body was dropped, those
 * that were given with it are not known.
 */
export async function staticSubscriberOf(
  store: OutboxStore,
  id: string,
  subscriber: string,
  finder: RecipientFinder,
): Promise<Recipient | null> {
  if (!isMessageId(id)) return null;
  const [row] = await store.messages.load([id]);
  if (row === undefined) return null;
  const message = readable(store, row);
  if (message === UNREADABLE) return null;
  const { event, owner } = row;
  return finder.find(message ?? { id, event, owner, recipients: [] }, subscriber);
}

/**
 * A delivery is written with the outcome of its first attempt, and a receiver fetches the body before it answers. So the
 * subscriber is asked first, as at the fan-out. Of a dropped body only its event is known.
 */
async function isSeen(
  store: OutboxStore,
  row: Parameters<typeof isFor>[0] & { readonly id: string; readonly time: number | string },
  message: Message | null,
  reader: MessageReader,
  now: number,
): Promise<boolean> {
  if (!('id' in reader)) return isFor(row, { ...reader, events: ['*'], exclude: [] });
  // A static subscriber was found by the message.
  const isServed =
    !('events' in reader) || (isActive(reader) && !hasEnded(reader, now) && isFor(row, reader));
  const choice = { exclude: [], filter: null, changed: null, ...reader };
  if (isServed && (message === null || wants(choice, message))) return true;
  const delivery = deliveryId({ id: row.id, time: Number(row.time) }, reader.id);
  return (await store.database.run(selectDelivery(store, delivery))).rows.length > 0;
}

function isMessageId(id: unknown): boolean {
  try {
    checkMessageId(id);
    return true;
  } catch (error) {
    if (error instanceof InvalidInputError) return false;
    throw error;
  }
}
