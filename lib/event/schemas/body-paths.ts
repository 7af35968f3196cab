import { shownNames } from '../../common/log.js';
import { InvalidInputError } from '../../errors/index.js';
import type { EventCatalogue, SubscribedEvents } from '../catalogue.js';
import { dataSchemaOf } from './class-schema.js';
import { SchemaFields } from './schema-fields.js';

/**
 * Checks paths of data against the schemas of the events that a subscriber gets. A path is refused when all of these events
 * have a schema and none has the path.
 *
 * @param field the field of the subscriber that names the paths
 * @throws {@link InvalidInputError} for the field
 */
export function checkDataPaths(
  catalogue: EventCatalogue,
  field: 'fields' | 'template',
  paths: readonly string[],
  subscriber: SubscribedEvents,
): void {
  const schemas = catalogue.gotBy(subscriber).map(dataSchemaOf);
  const known = schemas.filter((schema) => schema !== null);
  if (schemas.length === 0 || known.length < schemas.length) return;
  const fields = new SchemaFields(known);
  const path = paths.find((one) => fields.kindOf(one) === undefined);
  if (path === undefined) return;
  const above = path.split('.').slice(0, -1).join('.');
  const names = [fields.namesBelow(above), fields.namesBelow('')].find((all) => all.length > 0);
  throw new InvalidInputError(
    field,
    `must not name ${path}, which is not a field of the data. Valid fields: ${shownNames(names ?? [])}`,
    { reason: 'unknown-path', path },
  );
}
