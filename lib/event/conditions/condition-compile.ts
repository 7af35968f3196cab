import type { AnyRow, CompiledCondition, Condition, OperatorName } from './condition.js';
import { isPlainObject } from '../../common/objects.js';
import { type RefusalData, ThornConfigurationError } from '../../errors/index.js';
import {
  decodeValue,
  withPath,
  isEncoded,
  MAX_DEPTH,
  decodeTree,
  encodeValue,
} from './condition-encoding.js';
import {
  type ConditionFault,
  type FieldKinds,
  type FieldNames,
  fieldFault,
} from './condition-fields.js';
import { isDecimalText } from './condition-number.js';
import {
  findOperator,
  type OperandShape,
  type ConditionOperator,
  OPERATORS,
  type ValueTest,
} from './condition-operators.js';
import { readPath, readProperty, someElement } from './condition-path.js';
import { compare } from './condition-value.js';

/** Knowledge about the row, for checks and error texts; every part is optional. */
export interface ConditionContext {
  /** The place of the condition, for error texts: `@WebhookEvent('article.published') on Article`. */
  readonly owner?: string;
  /** The kind of field at a dotted path of the row; undefined, which is an error, when there is none. */
  readonly fieldKind?: FieldKinds;
  /** The fields below a dotted path, for error texts. */
  readonly fieldNames?: FieldNames;
  /** The owner of the fields, for error texts. Default: `the row`. */
  readonly fieldsOf?: string;
  /** Says why an operator can never hold for the field at a path. */
  readonly operandFault?: (
    path: string,
    operator: OperatorName,
    operand: unknown,
  ) => ConditionFault | undefined;
}

/**
 * Checks a condition and makes it into a function, once.
 *
 * @example
 * ```ts
 * const published = compileCondition<Article>({ state: { nowEq: 'PUBLISHED' } });
 * published.holds({ state: 'PUBLISHED' }, { state: 'DRAFT' }); // true
 * ```
 * @throws {@link ThornConfigurationError} naming the path and the operator of the fault
 */
export function compileCondition<Row = AnyRow>(
  condition: NoInfer<Condition<Row>>,
  context: ConditionContext = {},
): CompiledCondition {
  return new ConditionCompiler(context).compile(condition);
}

/** The greatest number of operators in one condition. */
const MAX_TESTS = 1_000;

/** `before` is the whole row before the change; null when there was none. */
type Test = (value: unknown, before: object | null) => boolean;

const WRONG_VALUE: RefusalData = { reason: 'wrong-value' };

class ConditionCompiler {
  readonly #paths = new Set<string>();
  readonly #beforePaths = new Set<string>();
  #tests = 0;

  constructor(private readonly context: ConditionContext) {}

  compile(condition: unknown): CompiledCondition {
    const holds = this.#scope(condition, [], 0);
    return {
      paths: [...this.#paths],
      beforePaths: [...this.#beforePaths],
      holds: (now, before) => holds(now, typeof before === 'object' ? before : null),
    };
  }

  /** Operators, nested fields and combinators of one field, or of the row itself. */
  #scope(scope: unknown, path: readonly string[], depth: number): Test {
    if (depth > MAX_DEPTH) {
      this.#fail(path, `is nested deeper than ${MAX_DEPTH} levels`, {
        reason: 'too-deep',
        max: MAX_DEPTH,
      });
    }
    if (!isPlainObject(scope)) return this.#fail(path, 'must be an object of fields and operators');
    const keys = Object.keys(scope);
    if (keys.length === 0) {
      this.#fail(path, 'is empty; say what must hold, or leave it out', { reason: 'empty' });
    }
    const tests: Test[] = [];
    const fields: Test[] = [];
    for (const key of keys) {
      const operator = path.length === 0 ? undefined : findOperator(key);
      if (operator !== undefined) tests.push(this.#operator(operator, key, scope[key], path));
      else if (key === 'AND' || key === 'OR' || key === 'NOT') {
        tests.push(this.#combinator(key, scope[key], path, depth));
      } else fields.push(this.#field(key, scope[key], path, depth));
    }
    // Fields that stand together speak of the same element of a to-many relation.
    if (fields.length > 0) {
      const element = allOf(fields);
      tests.push((value, before) => someElement(value, (one) => element(one, before)));
    }
    return allOf(tests);
  }

  #combinator(
    key: 'AND' | 'OR' | 'NOT',
    scope: unknown,
    path: readonly string[],
    depth: number,
  ): Test {
    if (key === 'NOT') {
      const test = this.#scope(scope, path, depth + 1);
      return (value, before) => !test(value, before);
    }
    if (!Array.isArray(scope) || scope.length === 0) {
      return this.#fail([...path, key], 'must be a list of at least one condition');
    }
    const tests = Array.from(scope, (one) => this.#scope(one, path, depth + 1));
    return key === 'AND' ? allOf(tests) : anyOf(tests);
  }

  #field(key: string, condition: unknown, parent: readonly string[], depth: number): Test {
    const path = [...parent, key];
    const fault = fieldFault(path, this.context);
    if (fault !== undefined) this.#fail(path, fault.text, fault.data);
    const bare = !isPlainObject(condition) || isEncoded(condition);
    const test = bare
      ? this.#operator({ name: 'eq', isNow: false }, 'eq', condition, path)
      : this.#scope(condition, path, depth + 1);
    return (row, before) => test(readProperty(row, key), before);
  }

  #operator(
    operator: ConditionOperator,
    key: string,
    given: unknown,
    path: readonly string[],
  ): Test {
    if (++this.#tests > MAX_TESTS) {
      this.#fail(path, `holds more than ${MAX_TESTS} operators`, {
        reason: 'too-many',
        max: MAX_TESTS,
      });
    }
    const { operand: shape, test: make } = OPERATORS[operator.name];
    const operand = withPath(
      this.#subject([...path, key]),
      { path: path.join('.'), operator: key, ...WRONG_VALUE },
      () => decodeValue(given),
    );
    const expected = expectedShape(shape, operand);
    if (expected !== undefined) this.#fail([...path, key], `must be ${expected}`);
    const dotted = path.join('.');
    const kind = this.context.fieldKind?.(dotted);
    if (kind === 'nested' && ['eq', 'ne'].includes(operator.name) && operand !== null) {
      this.#fail(
        [...path, key],
        'compares a whole object; compare one of its fields, such as { id: … }',
      );
    }
    const fault = this.context.operandFault?.(dotted, operator.name, operand);
    if (fault !== undefined) this.#fail([...path, key], fault.text, fault.data);
    const test = make(kind === 'number' && shape !== 'text' ? asNumbers(operand) : operand);
    this.#paths.add(dotted);
    if (!operator.isNow) return test;
    this.#beforePaths.add(dotted);
    return transition(test, path);
  }

  #fail(path: readonly string[], text: string, data: RefusalData = WRONG_VALUE): never {
    throw new ThornConfigurationError('THORN_CONDITION_INVALID', `${this.#subject(path)} ${text}`, {
      path: path.join('.'),
      ...data,
    });
  }

  #subject(path: readonly string[]): string {
    const owner =
      this.context.owner === undefined ? 'The condition' : `The condition of ${this.context.owner}`;
    return path.length === 0 ? owner : `${owner}: ${path.join('.')}`;
  }
}

/** The test of `now…`: it holds now and did not hold before the change. Of a row that was not there before, nothing held. */
function transition(test: ValueTest, path: readonly string[]): Test {
  return (value, before) => test(value) && (before === null || !readPath(before, path, test));
}

/** The kind of operand that an operator needs instead; undefined when the operand is right. */
function expectedShape(shape: OperandShape, operand: unknown): string | undefined {
  const primitive = operand === null || typeof operand !== 'object';
  switch (shape) {
    case 'list':
      return Array.isArray(operand) || operand instanceof Set ? undefined : 'a list of values';
    case 'text':
      return typeof operand === 'string' ? undefined : 'a text';
    case 'boolean':
      return typeof operand === 'boolean' ? undefined : 'true or false';
    case 'comparable':
      return compare(operand, operand) === 0
        ? undefined
        : 'a number, bigint, decimal, text or date';
    case 'primitive':
      return primitive
        ? undefined
        : 'null, a text, a number or a boolean; compare objects and dates with eq';
    case 'value':
      return undefined;
  }
}

/** Texts that are numbers become numbers; drivers return decimal and bigint columns as text. */
function asNumbers(operand: unknown): unknown {
  if (Array.isArray(operand)) return operand.map(asNumbers);
  if (operand instanceof Set) return new Set([...operand].map(asNumbers));
  if (typeof operand !== 'string' || !isDecimalText(operand)) return operand;
  return decodeValue({ $decimal: operand });
}

function allOf(tests: readonly Test[]): Test {
  if (tests.length === 1) return tests[0]!;
  return (value, before) => tests.every((test) => test(value, before));
}

function anyOf(tests: readonly Test[]): Test {
  return (value, before) => tests.some((test) => test(value, before));
}

/** A value that JSON can hold. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * Makes plain JSON of a condition: dates as `{ "$date": "…" }`, decimals and bigints as `{ "$decimal": "…" }`.
 *
 * @throws {@link ThornConfigurationError} when the condition is wrong, or has a set, a map or bytes
 */
export function conditionToJson<Row = AnyRow>(condition: NoInfer<Condition<Row>>): JsonValue {
  compileCondition<Row>(condition);
  return withPath('The condition', {}, () => encodeValue(condition)) as JsonValue;
}

/**
 * Reads a condition from plain JSON, as {@link conditionToJson} makes it. Operators and their values are checked. The names
 * of fields are not: the row is not known here.
 *
 * @example
 * ```ts
 * const when = conditionFromJson<Article>({ createdAt: { gt: { $date: '2026-01-01T00:00:00.000Z' } } });
 * ```
 * @throws {@link ThornConfigurationError} naming the path and the operator of the fault
 */
export function conditionFromJson<Row = AnyRow>(json: unknown): Condition<Row> {
  const condition = withPath('The condition', {}, () => decodeTree(json)) as Condition<Row>;
  compileCondition<Row>(condition);
  return condition;
}
