import type { DataSource } from 'typeorm';
import { ThornConfigurationError } from '../../errors/index.js';
import { type EntityClass, entityEventsOf } from '../../event/entity-events.js';
import { dataSourceName } from '../rows/data-source-name.js';

/**
 * Finds the classes that declare events and are not an entity, nor the base of one, in any of the data sources. Which
 * classes an application means is for it to say: another one in the same process may decorate others.
 */
export function unknownEntities(
  classes: Iterable<EntityClass>,
  dataSources: readonly DataSource[],
): readonly EntityClass[] {
  const targets = dataSources
    .flatMap(({ entityMetadatas }) => entityMetadatas)
    .map(({ target }) => target)
    .filter((target) => typeof target === 'function');
  return [...classes].filter(
    (type) =>
      entityEventsOf(type).length > 0 &&
      !targets.some(
        (target) => target === type || Object.prototype.isPrototypeOf.call(type, target),
      ),
  );
}

/** @throws {@link ThornConfigurationError} naming the first class of {@link unknownEntities} and the fix */
export function assertEntitiesKnown(
  classes: Iterable<EntityClass>,
  dataSources: readonly DataSource[],
): void {
  const [unknown] = unknownEntities(classes, dataSources);
  if (unknown === undefined) return;
  const event = entityEventsOf(unknown)[0]!.name;
  const names = dataSources.map(dataSourceName).join(', ') || 'none';
  throw new ThornConfigurationError(
    'THORN_ENTITY_NOT_CAPTURED',
    `${unknown.name} declares webhook events (${event}), but no captured data source (${names}) knows it as an entity. ` +
      `Give it @Entity(), and list it in TypeOrmModule.forFeature([${unknown.name}]) of a module or in the data source's ` +
      'entities. Add its data source to the option dataSources if it is another one. ' +
      'An event of a provider belongs on its method.',
    { entity: unknown.name, event, dataSources: names },
  );
}
