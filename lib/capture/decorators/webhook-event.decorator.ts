import {
  type EntityClass,
  recordEntityEvent,
  type RecordedOptions,
  recordEntitySettings,
} from '../../event/entity-events.js';
import type {
  EntityEventOptions,
  ColumnSettings,
  EntityEventSettings,
} from '../../event/event-settings.js';
import { checkEntityEvent, checkEntityClass, checkEntitySettings } from './declaration-checks.js';
import {
  decorateMethod,
  type MethodErrorOptions,
  type MethodSuccessOptions,
} from './method-event.js';
import type { BulkSettings } from '../../event/bulk-settings.js';

/** A decorator for an asynchronous method that takes `Args` and resolves to `Result`. */
export type MethodEventDecorator<Result, Args extends unknown[]> = <
  Method extends (...args: Args) => Promise<Result>,
>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;

/**
 * Declares an event of an entity; stackable. Its messages belong to the transaction that makes the change: staged
 * before it commits, released after, dropped when it rolls back.
 *
 * Each row counts once per transaction, as a reader outside of the transaction sees it. Created and then changed: one
 * `create` with the last values. Created and then deleted: no event. Changed several times: one `change`, from the
 * first old to the last new values. Deleted and created again: one `change`.
 *
 * @param name dot-separated segments of `[A-Za-z0-9_-]`; `{field}` stands for a value of the row
 * @throws {@link ThornConfigurationError} at decoration, naming the class, the event and the fix
 *
 * @example
 * ```ts
 * @Entity()
 * @WebhookEvent<Article>('article.published', { on: 'change', when: { state: { nowEq: 'PUBLISHED' } } })
 * export class Article { … }
 * ```
 */
export function WebhookEvent<Entity extends object>(
  name: string,
  options: EntityEventOptions<Entity>,
): EntityDecorator<Entity>;
/**
 * Sends an event when the method of a provider or controller has resolved (or, with `on: 'error'`, thrown).
 *
 * @example
 * ```ts
 * @WebhookEvent('order.cancelled', { data: (order: Order) => ({ id: order.id }) })
 * async cancel(id: string): Promise<Order> { … }
 * ```
 */
// A decorator does not know the types of its method. The functions' own annotations give them, and the compiler
// compares these with the method. Without annotations the types are `any`, so that the short form can be used.
// oxlint-disable-next-line typescript/no-explicit-any
export function WebhookEvent<Result = any, Args extends unknown[] = any[]>(
  name: string,
  options?: MethodSuccessOptions<Result, Args>,
): MethodEventDecorator<Result, Args>;
/** Sends an event when the method has thrown; the functions are given the error. */
// oxlint-disable-next-line typescript/no-explicit-any
export function WebhookEvent<Args extends unknown[] = any[]>(
  name: string,
  options: MethodErrorOptions<Args>,
): MethodEventDecorator<unknown, Args>;
export function WebhookEvent(name: string, options: object = {}) {
  return (target: object, method?: string | symbol, descriptor?: object): void => {
    if (typeof target === 'function' && method === undefined) {
      const type = target as EntityClass;
      checkEntityEvent(type, name, options);
      recordEntityEvent(type, { name, options: options as RecordedOptions });
    } else {
      decorateMethod(name, options, target, method ?? '', descriptor);
    }
  };
}

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
