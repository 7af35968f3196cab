import { ThornConfigurationError } from '../../errors/index.js';
import type { AnyRow } from './condition-compile.js';
import type { Condition } from './condition.js';

/** A condition that can be extended; it is the condition object itself, its methods are not enumerable. */
export type ConditionBuilder<Row> = Condition<Row> & {
  /** Holds when this and the others hold. */
  and(...others: readonly Condition<Row>[]): ConditionBuilder<Row>;
  /** Holds when this or one of the others holds. */
  or(...others: readonly Condition<Row>[]): ConditionBuilder<Row>;
  /** Holds when this does not. */
  not(): ConditionBuilder<Row>;
};

/**
 * Writes a condition as a chain. `Q(a).and(b).or(c)` is the object `{ OR: [{ AND: [a, b] }, c] }`; nothing is changed
 * in place.
 *
 * @example
 * ```ts
 * const when = Q<Article>({ state: { nowEq: 'PUBLISHED' } }).and(Q<Article>({ hidden: true }).not());
 * ```
 */
export function Q<Row = AnyRow>(condition: NoInfer<Condition<Row>>): ConditionBuilder<Row> {
  const methods = {
    and: (...others: readonly Condition<Row>[]) => join<Row>('AND', [condition, ...others]),
    or: (...others: readonly Condition<Row>[]) => join<Row>('OR', [condition, ...others]),
    not: () => Q<Row>({ NOT: condition } as Condition<Row>),
  };
  const builder = { ...condition };
  for (const [name, method] of Object.entries(methods)) {
    if (Object.hasOwn(builder, name)) {
      throw new ThornConfigurationError(
        'THORN_CONDITION_INVALID',
        `Q cannot hold a condition on a field called ${name}; write the condition as an object`,
        { field: name },
      );
    }
    Object.defineProperty(builder, name, { value: method });
  }
  return builder as ConditionBuilder<Row>;
}

function join<Row>(
  key: 'AND' | 'OR',
  conditions: readonly Condition<Row>[],
): ConditionBuilder<Row> {
  return Q<Row>({ [key]: conditions } as Condition<Row>);
}
