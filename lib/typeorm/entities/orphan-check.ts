import type { EntityMetadata } from 'typeorm';
import { ThornConfigurationError } from '../../errors/index.js';
import type { CapturePlan } from './entity-plan.js';

/**
 * Refuses `delete` events of subclasses in one table whose rows a relation to their base may remove
 * (`orphanedRowAction`): TypeORM tells the class of the relation then, and not that of the row.
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
