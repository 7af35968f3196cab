import { shownNames } from '../../common/log.js';
import { InvalidInputError } from '../../errors/index.js';
import type { EventCatalogue, SubscribedEvents } from '../catalogue.js';
import { dataSchemaOf } from './class-schema.js';
import { SchemaFields } from './schema-fields.js';
import { uncheckedPaths, type UncheckedPaths } from './unchecked-paths.js';

/**
 * Checks paths of data against the schemas of the events that a subscriber gets. A path is refused when all of these events
 * have a schema and none has the path.
 *
 * @param field the field of the subscriber that names the paths
 * @returns the paths that cannot be checked, because events have no schema
 * @throws {@link InvalidInputError} for the field
 */
export function checkDataPaths(
  catalogue: EventCatalogue,
  field: 'fields' | 'template',
  paths: readonly string[],
  subscriber: SubscribedEvents,
): readonly UncheckedPaths[] {
  const events = catalogue.gotBy(subscriber);
  const schemas = events.map(dataSchemaOf);
  const fields = new SchemaFields(schemas.filter((schema) => schema !== null));
  const open = events.filter((_, index) => schemas[index] === null).map(({ name }) => name);
  const unknown = paths.filter((one) => fields.kindOf(one) === undefined);
  if (events.length === 0 || open.length > 0) return uncheckedPaths(field, unknown, open);
  const [path] = unknown;
  if (path === undefined) return [];
  const above = path.split('.').slice(0, -1).join('.');
  const names = [fields.namesBelow(above), fields.namesBelow('')].find((all) => all.length > 0);
  throw new InvalidInputError(
    field,
    `must not name ${path}, which is not a field of the data. Valid fields: ${shownNames(names ?? [])}`,
    { reason: 'unknown-path', path },
  );
}
