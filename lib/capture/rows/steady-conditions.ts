/** A condition of a query builder, as TypeORM keeps it. */
interface BuiltCondition {
  readonly condition?: unknown;
  readonly parameters?: readonly unknown[];
}

const PARAMETER = /^:[\w.]+$/;
const QUOTED = /'[^']*'|"[^"]*"|`[^`]*`/g;
/** Of a text without what is quoted. Comments may stand in a call, and an escaped quote may hide one. */
const MAY_DIFFER =
  /[\\@;'"`]|--|\/\*|\b(?:select|current_\w+|localtime\w*|utc_\w+)\b|\b(?!(?:and|or|not|in|between|like|is)\s*\()\w+\s*\(/i;

/**
 * Tells whether conditions match the same rows as long as these stay as they are: they compare columns with parameters
 * and constants. A function may answer something else the next time (`RAND()`, `NOW()`), and a subquery reads others.
 */
export function areSteady(conditions: readonly BuiltCondition[]): boolean {
  return conditions.every(isSteady);
}

function isSteady(part: unknown): boolean {
  if (typeof part === 'string') {
    return PARAMETER.test(part) || !MAY_DIFFER.test(part.replace(QUOTED, 'x'));
  }
  if (Array.isArray(part)) return part.every(isSteady);
  if (typeof part !== 'object' || part === null) return true;
  const { condition, parameters } = part as BuiltCondition;
  return isSteady(condition) && (parameters === undefined || parameters.every(isSteady));
}
