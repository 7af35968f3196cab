import type { DataSource, EntityMetadata } from 'typeorm';
import { ThornConfigurationError } from '../../errors/index.js';
import { type EntityClass, entityEventsOf } from '../../event/entity-events.js';
import { dataSourceName } from '../errors.js';
import type { CapturePlan } from './entity-plan.js';

/**
 * Finds the classes that declare events and that are neither an entity nor the base class of one in any of the data
 * sources. The caller says which classes belong to the application, because another application in the process may have
 * decorated classes too.
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

/**
 * Refuses `delete` events of subclasses in one table whose rows a relation to their base may remove
 * (`orphanedRowAction`): TypeORM then reports the class of the relation, and not the class of the row.
 *
 * @throws {@link ThornConfigurationError}
 */
export function checkOrphans(all: readonly EntityMetadata[], { entities }: CapturePlan): void {
  for (const { name, relations, childEntityMetadatas } of all) {
    const relation = relations.find(({ orphanedRowAction }) =>
      /delete/.test(orphanedRowAction ?? ''),
    );
    if (relation === undefined) continue;
    for (const child of childEntityMetadatas) {
      const event = entities.get(child)?.events.find(({ options: { on } }) => on === 'delete');
      if (event === undefined) continue;
      throw new ThornConfigurationError(
        'THORN_DECLARATION_INVALID',
        `${child.name}, event ${event.name}: ${name}.${relation.propertyPath} removes rows that its relation loses ` +
          `(orphanedRowAction: '${relation.orphanedRowAction}'), and TypeORM does not tell which of them are a ${child.name}. ` +
          "Set orphanedRowAction: 'nullify' or 'disable' and remove() such rows, or give the event to an entity with a table of its own",
        { entity: child.name, event: event.name, relation: `${name}.${relation.propertyPath}` },
      );
    }
  }
}
