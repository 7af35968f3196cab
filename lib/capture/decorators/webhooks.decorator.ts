import { recordEntitySettings } from '../../event/entity-events.js';
import type { BulkSettings } from '../../event/bulk-settings.js';
import type { ColumnSettings, EntityEventSettings } from '../../event/event-settings.js';
import { checkEntityClass, checkEntitySettings } from './declaration-checks.js';

/** A decorator for the class of `Entity`, and for no other. */
export type EntityDecorator<Entity> = (target: abstract new (...args: never[]) => Entity) => void;

/**
 * Sets options that all events of an entity share; an event's own options win. `bulk`, `bulkLimit` and `bulkOverflow` are
 * of the entity, and win over the module's. `hidden` names columns that no event shows, also where the class has no events.
 *
 * @throws {@link ThornConfigurationError} at decoration, when a setting is unknown or of the wrong kind
 *
 * @example
 * ```ts
 * @Entity()
 * @Webhooks<Article>({ payload: (article) => ({ title: article.title }), ref: '/articles/{id}', owner: 'author.id' })
 * @WebhookEvent<Article>('article.created', { on: 'create' })
 * export class Article { … }
 * ```
 */
export function Webhooks<Entity extends object>(
  settings: EntityEventSettings<Entity> & ColumnSettings<Entity> & BulkSettings,
): EntityDecorator<Entity> {
  return (target, ...rest: unknown[]) => {
    const declaration = checkEntityClass(target, rest);
    checkEntitySettings(declaration, settings);
    recordEntitySettings(target, settings);
  };
}
