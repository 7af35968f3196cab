import type { MessageSettings } from '../message/message.js';
import type { Condition } from './condition.js';

/** A dotted path through an entity's own properties, for example `author.account.id`. */
export type Path = string;

/** A function of the row, or a constant. */
export type FromRow<Row, Value> = Value | ((row: Row) => Value);

/**
 * How the messages of an entity's events are made. Given for all events of an entity with `@Webhooks`, and for one with
 * `@WebhookEvent`; what an event says itself wins.
 */
export interface EntityEventSettings<Entity> extends MessageSettings {
  /**
   * Makes the envelope's `data`. Default: an empty object, as in Thorn. The row is complete: re-read before the commit,
   * or laid over the old row.
   */
  readonly payload?: (row: Entity, change: EntityChange<Entity>) => unknown;
  /** Where the thing can be found: a template such as `/articles/{id}`, resolved against `baseUrl`, or a function. */
  readonly ref?: string | ((row: Entity) => string | null);
  /**
   * The owner whose subscribers may see the event: a dotted path such as `author.id`, or a function. Null or undefined
   * leaves the ownerless subscribers alone; not giving the setting at all means everyone.
   */
  readonly sender?: Path | ((row: Entity) => string | number | bigint | null | undefined);
  /** Extra HTTP headers; never able to replace a system header. */
  readonly headers?: FromRow<Entity, Readonly<Record<string, string>>>;
  /** Relations to load for `payload`, `ref`, `sender` and `headers` functions; paths given as text load by themselves. */
  readonly relations?: readonly Path[];
}

/** What happened to the row that a payload is made for. */
export interface EntityChange<Entity> {
  readonly on: 'create' | 'change' | 'delete';
  /** The row before the change; null on create. Only what TypeORM had loaded. */
  readonly before: Partial<Entity> | null;
}

/** What an entity's event reacts to. A soft removal counts as delete, a recovery as create. */
export type EntityTrigger = 'create' | 'change' | 'delete';

/** Options of `@WebhookEvent` on an entity. */
export interface EntityEventOptions<Entity> extends EntityEventSettings<Entity> {
  readonly on: EntityTrigger;
  /** Sent only when the condition holds; see docs/conditions.md. */
  readonly when?: Condition<Entity>;
  /** False: a soft removal is no `delete`, a recovery no `create`. Default true. */
  readonly softRemoval?: boolean;
}
