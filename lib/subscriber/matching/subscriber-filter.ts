import { isDeeperThan } from '../../common/objects.js';
import {
  type CompiledCondition,
  conditionFromJson,
  compileCondition,
  type JsonValue,
} from '../../event/index.js';
import { InvalidInputError, ThornConfigurationError } from '../../errors/index.js';

/** The maximum length of a filter, in characters of its JSON. */
export const MAX_FILTER_LENGTH = 4096;
/** The maximum nesting depth of a filter. */
export const MAX_FILTER_DEPTH = 8;

// For the whole process, because the check of a filter and its match share no service. Both use the same compiled
// condition, which depends on the filter alone, so two applications in one process may share it as well.
const compiled = new WeakMap<object, CompiledCondition>();

/**
 * Checks the JSON of a condition on a message's data.
 *
 * @returns a copy
 * @throws {@link InvalidInputError} for `filter`
 */
export function checkFilter(value: unknown): JsonValue | null {
  if (value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new InvalidInputError('filter', 'must be an object of fields and operators, or null');
  }
  // The depth is checked first, because the code below walks into the filter by recursion.
  if (isDeeperThan(value, MAX_FILTER_DEPTH)) {
    throw new InvalidInputError(
      'filter',
      `must not be nested deeper than ${MAX_FILTER_DEPTH} levels`,
      { reason: 'too-deep', max: MAX_FILTER_DEPTH },
    );
  }
  const json = JSON.stringify(value);
  if (json.length > MAX_FILTER_LENGTH) {
    throw new InvalidInputError('filter', `must have at most ${MAX_FILTER_LENGTH} characters`, {
      reason: 'too-long',
      max: MAX_FILTER_LENGTH,
    });
  }
  const copy = JSON.parse(json) as JsonValue;
  if (compiledOf(copy).beforePaths.length > 0) {
    throw new InvalidInputError(
      'filter',
      'must not hold transitions such as nowEq: a message has no version before it',
      { reason: 'transition' },
    );
  }
  return copy;
}

/** True when the filter, checked by {@link checkFilter}, holds for a message's data. */
export function filterHolds(filter: JsonValue | null, data: unknown): boolean {
  return filter === null || compiledOf(filter).holds(data, null);
}

/** Compiles the filter once, and keeps the result for as long as the subscriber stays in memory. */
function compiledOf(filter: JsonValue): CompiledCondition {
  let condition = compiled.get(filter as object);
  if (condition === undefined) {
    try {
      condition = compileCondition(conditionFromJson(filter));
    } catch (error) {
      if (!(error instanceof ThornConfigurationError)) throw error;
      throw new InvalidInputError('filter', `is refused: ${error.message}`, error.data);
    }
    compiled.set(filter as object, condition);
  }
  return condition;
}
