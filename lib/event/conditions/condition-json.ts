import { compileCondition, type AnyRow, type ConditionContext } from './condition-compile.js';
import { decodeTree, encodeValue, withPath } from './condition-encoding.js';
import type { Condition } from './condition.js';

/** A value that JSON can hold. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * A condition as plain JSON: dates as `{ "$date": "…" }`, bigints as `{ "$bigint": "…" }`, decimals, sets, maps and
 * bytes likewise.
 *
 * @throws {@link ThornConfigurationError} when the condition is wrong
 */
export function conditionToJson<Row = AnyRow>(condition: NoInfer<Condition<Row>>): JsonValue {
  compileCondition<Row>(condition);
  return encodeValue(condition) as JsonValue;
}

/**
 * A condition from plain JSON, checked. Without `context.fieldKind` a wrong field's name cannot be noticed.
 *
 * @example
 * ```ts
 * const when = conditionFromJson<Article>({ createdAt: { gt: { $date: '2026-01-01T00:00:00.000Z' } } });
 * ```
 * @throws {@link ThornConfigurationError} naming the path and operator of what is wrong with it
 */
export function conditionFromJson<Row = AnyRow>(
  json: unknown,
  context: ConditionContext = {},
): Condition<Row> {
  const condition = withPath('The condition', {}, () => decodeTree(json)) as Condition<Row>;
  compileCondition<Row>(condition, context);
  return condition;
}
