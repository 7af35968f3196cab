import { isTaken } from '../../database/database-errors.js';
import { freeSlots, NO_PLACES, type QuotaSlots } from './quota-slots.js';
import type { SubscriberTable } from './subscriber-table.js';
import type { Subscriber } from '../model/subscriber.js';
import type { SubscriberLimits } from '../model/subscriber.repository.js';

/** More than can lose a place to each other at the same moment. */
const MAX_TRIES = 100;

/** Assigns quota places in the table; a process that loses a place tries the next one. */
export class QuotaAllocator {
  constructor(private readonly table: SubscriberTable) {}

  /**
   * @param limits undefined: it takes no places
   * @param write writes the row with its places
   * @throws {@link LimitReachedError}
   */
  async place<Result>(
    { id, url, owner }: Pick<Subscriber, 'id' | 'url' | 'owner'>,
    limits: SubscriberLimits | undefined,
    write: (places: QuotaSlots) => Promise<Result>,
  ): Promise<Result> {
    if (limits === undefined || owner === null) return write(NO_PLACES);
    for (let tries = 1; ; tries++) {
      const rows = await this.table.placesOf(owner);
      const isNew = rows.every((row) => row.id !== id);
      const places = freeSlots({ id, url, owner }, rows, limits);
      try {
        return await write(places);
      } catch (error) {
        if (!isTaken(error) || tries === MAX_TRIES) throw error;
        // The id is taken, and not the place.
        if (isNew && (await this.table.find(id, 'any')) !== null) throw error;
      }
    }
  }
}
