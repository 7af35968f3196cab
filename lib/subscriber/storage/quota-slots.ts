import { createHash } from 'node:crypto';
import { isTaken } from '../../database/database-errors.js';
import { LimitReachedError } from '../model/subscriber-errors.js';
import type { Subscriber } from '../model/subscriber.js';
import type { SubscriberLimits } from '../model/subscriber.repository.js';
import type { SubscriberTable } from './subscriber-table.js';

/**
 * The slots of a subscriber: a number for its owner, and a number for its owner and host. The numbers begin with 1 and
 * are unique in the table. When two processes create a subscriber in the last free slot at the same time, the database
 * refuses one of them. Null where no limit applied.
 */
export interface QuotaSlots {
  readonly ownerSlot: string | null;
  readonly hostSlot: string | null;
}

/** The slots of a subscriber without limits. */
export const NO_SLOTS: QuotaSlots = { ownerSlot: null, hostSlot: null };

/** The slots of the owner's other subscribers. */
type SlottedRow = Pick<Subscriber, 'id' | 'url' | 'key'> & QuotaSlots;

/**
 * The lowest free slots.
 *
 * @param rows every subscriber of the owner
 * @throws {@link LimitReachedError}
 */
export function freeSlots(
  { id, url, owner }: { readonly id: string; readonly url: string; readonly owner: string },
  rows: readonly SlottedRow[],
  { perOwner, perHost, keyPrefix = '' }: SubscriberLimits,
): { readonly ownerSlot: string; readonly hostSlot: string } {
  const others = rows.filter((row) => row.id !== id && (row.key ?? '').startsWith(keyPrefix));
  const host = hostnameOf(url);
  const neighbours = others.filter((row) => hostnameOf(row.url) === host);
  if (others.length >= perOwner) throw new LimitReachedError('owner', perOwner);
  if (neighbours.length >= perHost) throw new LimitReachedError('url', perHost);
  const who = keyPrefix === '' ? [owner] : [owner, keyPrefix];
  return {
    ownerSlot: lowestFree(who, new Set(others.map(({ ownerSlot }) => ownerSlot))),
    hostSlot: lowestFree([...who, host], new Set(others.map(({ hostSlot }) => hostSlot))),
  };
}

/** The part of a URL that counts for the limit by host. Two ports of one machine count as the same host. */
export function hostnameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/\.$/, '') : '-';
}

function lowestFree(who: readonly string[], used: ReadonlySet<string | null>): string {
  const key = hashOf(who).slice(0, 40);
  for (let number = 1; ; number++) {
    const text = `${key}:${number}`;
    if (!used.has(text)) return text;
  }
}

/** The value of the unique column that stands for the key of an owner. */
export function keyHash(owner: string | null, key: string): string {
  return hashOf([owner, key]);
}

// The texts are hashed because they may be long, and because the collations of some databases treat different texts as equal.
function hashOf(texts: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex');
}

/** The tries for a slot. More processes than this never compete for one slot at the same moment. */
const MAX_TRIES = 100;

/** Assigns quota slots in the table; a process that loses a slot tries the next one. */
export class QuotaAllocator {
  constructor(private readonly table: SubscriberTable) {}

  /**
   * @param limits undefined: the subscriber takes no slots
   * @param write writes the row with its slots
   * @throws {@link LimitReachedError}
   */
  async allocate<Result>(
    { id, url, owner, key }: Pick<Subscriber, 'id' | 'url' | 'owner' | 'key'>,
    limits: SubscriberLimits | undefined,
    write: (slots: QuotaSlots) => Promise<Result>,
  ): Promise<Result> {
    if (limits === undefined || owner === null) return write(NO_SLOTS);
    for (let tries = 1; ; tries++) {
      const rows = await this.table.slotsOf(owner);
      const isNew = rows.every((row) => row.id !== id);
      const slots = freeSlots({ id, url, owner }, rows, limits);
      try {
        return await write(slots);
      } catch (error) {
        if (!isTaken(error) || tries === MAX_TRIES) throw error;
        // The database refused the id or the key, and not the slot, so another slot would not help.
        if (isNew && (await this.table.find(id, 'any')) !== null) throw error;
        if (isNew && key !== null && (await this.table.findByKey(keyHash(owner, key))) !== null) {
          throw error;
        }
      }
    }
  }
}
