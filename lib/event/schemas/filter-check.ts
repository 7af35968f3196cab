import { shownNames } from '../../common/log.js';
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

/** The fields of a filter that cannot be checked, in the form in which the REST API refuses fields. */
export interface UncheckedFilter {
  readonly field: 'filter';
  readonly code: 'unchecked-paths';
  /** A sentence part that follows the field's name. */
  readonly reason: string;
  readonly data: { readonly paths: readonly string[] };
}

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
): readonly UncheckedFilter[] {
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
  if (paths.length === 0) return [];
  const cause =
    open.length === 0
      ? 'no event is declared'
      : `${shownNames(open)} ${open.length === 1 ? 'has' : 'have'} no schema`;
  const reason = `cannot be checked for ${shownNames(paths)}, since ${cause}; a field that is missing has no value`;
  return [{ field: 'filter', code: 'unchecked-paths', reason, data: { paths } }];
}

function compileFilter(filter: JsonValue, context: ConditionContext = {}) {
  try {
    return compileCondition(conditionFromJson(filter), context);
  } catch (error) {
    if (!(error instanceof ThornConfigurationError)) throw error;
    throw new InvalidInputError('filter', `is refused: ${error.message}`, error.data);
  }
}
