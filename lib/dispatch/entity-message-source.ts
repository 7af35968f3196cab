import type { FindOptionsWhere, ObjectLiteral } from 'typeorm';
import type { Message } from '../message/index.js';

/** A class of entities, as TypeORM's repositories take it. */
export type EntityType<Entity extends ObjectLiteral> = abstract new (...args: never[]) => Entity;

/** Selects the rows for which {@link WebhookDispatcher.sendFor} sends an event. */
export interface RowCriteria<Entity extends ObjectLiteral> {
  /** As TypeORM's `find` takes it; an empty object means every row. */
  readonly where: FindOptionsWhere<Entity> | FindOptionsWhere<Entity>[];
  /** True: soft-removed rows as well, for events that react to `delete`. Default false. */
  readonly withDeleted?: boolean;
  /** Rows that are read, sent and forgotten at a time. Default 500. */
  readonly batch?: number;
}

/** Makes the messages of entities' events by hand, as if their rows had just changed. */
export abstract class EntityMessageSource {
  /**
   * @param transaction to read the row in; undefined for none
   * @returns null when the event's condition does not hold for the row
   * @throws {@link InvalidInputError} when the entity has no such event, or a value cannot be encoded
   */
  abstract messageOf(
    entity: ObjectLiteral,
    event: string,
    transaction: unknown,
  ): Promise<Message | null>;

  /**
   * Streams the messages of the rows that match, a batch at a time, in the order of their ids.
   *
   * @throws {@link InvalidInputError} as {@link messageOf}
   */
  abstract messagesOf<Entity extends ObjectLiteral>(
    type: EntityType<Entity>,
    criteria: RowCriteria<Entity>,
    event: string,
    transaction: unknown,
  ): AsyncIterable<{ readonly rows: number; readonly messages: readonly Message[] }>;
}
