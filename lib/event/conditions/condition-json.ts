import { compileCondition, type AnyRow } from './condition-compile.js';
import { decodeTree, encodeValue, withPath } from './condition-encoding.js';
import type { Condition } from './condition.js';

/** A value that JSON can hold. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * Makes plain JSON of a condition: dates as `{ "$date": "…" }`, bigints as `{ "$bigint": "…" }`, decimals, sets, maps and
 * bytes likewise.
 *
 * @throws {@link ThornConfigurationError} when the condition is wrong
 */
export function conditionToJson<Row = AnyRow>(condition: NoInfer<Condition<Row>>): JsonValue {
  compileCondition<Row>(condition);
  return encodeValue(condition) as JsonValue;
}

/**
 * Reads a condition from plain JSON, as {@link conditionToJson} makes it. Operators and their values are checked. The names
 * of fields are not: the row is not known here.
 *
 * @example
 * ```ts
 * const when = conditionFromJson<Article>({ createdAt: { gt: { $date: '2026-01-01T00:00:00.000Z' } } });
 * ```
 * @throws {@link ThornConfigurationError} naming the path and operator of what is wrong with it
 */
export function conditionFromJson<Row = AnyRow>(json: unknown): Condition<Row> {
  const condition = withPath('The condition', {}, () => decodeTree(json)) as Condition<Row>;
  compileCondition<Row>(condition);
  return condition;
}
