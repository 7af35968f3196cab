import { ThornSubscriber } from '../subscriber/index.js';
import { CreateThornSubscribers1767225600000 } from './create-thorn-subscribers.js';

/** Every entity of the library, for a data source without `autoLoadEntities`. */
export const thornEntities = [ThornSubscriber];

/**
 * Every migration of the library, oldest first, for TypeORM's own runner.
 *
 * @example
 * ```ts
 * new DataSource({ …, entities: [Article, ...thornEntities], migrations: [...mine, ...thornMigrations] });
 * ```
 */
export const thornMigrations = [CreateThornSubscribers1767225600000];
