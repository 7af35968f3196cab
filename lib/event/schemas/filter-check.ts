import { InvalidInputError, ThornConfigurationError } from '../../errors/index.js';
import type { EventCatalogue, SubscribedEvents } from '../catalogue.js';
import {
  compileCondition,
  type ConditionContext,
  conditionFromJson,
  type JsonValue,
} from '../conditions/condition-compile.js';
import { dataSchemaOf } from './class-schema.js';
import { SchemaFields } from './schema-fields.js';
import { uncheckedPaths, type UncheckedPaths } from './unchecked-paths.js';

/**
 * Checks a filter against the schemas of the events that a subscriber gets. A path is refused when all of these events
 * have a schema and none has the path.
 *
 * @param filter a condition on data, checked by itself
 * @returns the paths that cannot be checked, because events have no schema
 * @throws {@link InvalidInputError} for `filter`
 */
export function checkFilterFields(
  catalogue: EventCatalogue,
  filter: JsonValue,
  subscriber: SubscribedEvents,
): readonly UncheckedPaths[] {
  const events = catalogue.gotBy(subscriber);
  const schemas = events.map(dataSchemaOf);
  const fields = new SchemaFields(schemas.filter((schema) => schema !== null));
  const open = events.filter((_, index) => schemas[index] === null).map(({ name }) => name);
  if (events.length > 0 && open.length === 0) {
    compileFilter(filter, {
      fieldKind: (path) => fields.kindOf(path),
      fieldNames: (path) => fields.namesBelow(path),
      fieldsOf: 'the data',
      operandFault: (...given) => fields.operandFault(...given),
    });
    return [];
  }
  const paths = compileFilter(filter).paths.filter((path) => fields.kindOf(path) === undefined);
  return uncheckedPaths('filter', paths, open);
}

function compileFilter(filter: JsonValue, context: ConditionContext = {}) {
  try {
    return compileCondition(conditionFromJson(filter), context);
  } catch (error) {
    if (!(error instanceof ThornConfigurationError)) throw error;
    throw new InvalidInputError('filter', `is refused: ${error.message}`, error.data);
  }
}
