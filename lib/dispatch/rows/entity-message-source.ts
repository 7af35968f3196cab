import type { Message } from '../../message/index.js';
import type { EntityType, RowCriteria } from './row-criteria.js';

/** Makes the messages of entities' events by hand, as if their rows had just changed. */
export abstract class EntityMessageSource {
  /**
   * @param transaction to read the row in; undefined for none
   * @returns null when the event's condition does not hold for the row
   * @throws {@link InvalidInputError} when the entity has no such event, or a value cannot be encoded
   */
  abstract messageOf(entity: object, event: string, transaction: unknown): Promise<Message | null>;

  /**
   * Streams the messages of the rows that match, a batch at a time, in the order of their ids.
   *
   * @throws {@link InvalidInputError} as {@link messageOf}
   */
  abstract messagesOf<Entity extends object>(
    type: EntityType<Entity>,
    criteria: RowCriteria<Entity>,
    event: string,
    transaction: unknown,
  ): AsyncIterable<{ readonly rows: number; readonly messages: readonly Message[] }>;
}
