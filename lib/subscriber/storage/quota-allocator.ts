import { isTaken } from '../../database/database-errors.js';
import { freeSlots, keyHash, NO_SLOTS, type QuotaSlots } from './quota-slots.js';
import type { SubscriberTable } from './subscriber-table.js';
import type { Subscriber } from '../model/subscriber.js';
import type { SubscriberLimits } from '../model/subscriber.repository.js';

/** More than can lose a slot to each other at the same moment. */
const MAX_TRIES = 100;

/** Assigns quota slots in the table; a process that loses a slot tries the next one. */
export class QuotaAllocator {
  constructor(private readonly table: SubscriberTable) {}

  /**
   * @param limits undefined: it takes no slots
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
        // The id is taken, or the key, and not the slot.
        if (isNew && (await this.table.find(id, 'any')) !== null) throw error;
        if (isNew && key !== null && (await this.table.findByKey(keyHash(owner, key))) !== null) {
          throw error;
        }
      }
    }
  }
}
