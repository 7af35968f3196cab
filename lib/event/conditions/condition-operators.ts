import { isNumeric, numberKey } from './condition-number.js';
import { compare, contains, isSame } from './condition-value.js';
import type { OperatorName } from './condition.js';

/** Tells whether an operator holds for a field's value. */
export type ValueTest = (value: unknown) => boolean;

/** An operator of a condition, taken apart: `nowEq` is `eq` with `isNow`. */
export interface ConditionOperator {
  readonly name: OperatorName;
  /** True of `now…`: the operator must hold now, and must not have held before the change. */
  readonly isNow: boolean;
}

/** The kinds of operand that operators need. */
export type OperandShape = 'value' | 'primitive' | 'comparable' | 'list' | 'text' | 'boolean';

interface Definition {
  readonly operand: OperandShape;
  test(operand: unknown): ValueTest;
}

/** The operators, by their plain names. Operands have been decoded and checked against their shape. */
export const OPERATORS: Readonly<Record<OperatorName, Definition>> = {
  eq: { operand: 'value', test: same },
  ne: { operand: 'value', test: (operand) => not(same(operand)) },
  gt: { operand: 'comparable', test: (operand) => ordered(operand, (order) => order > 0) },
  gte: { operand: 'comparable', test: (operand) => ordered(operand, (order) => order >= 0) },
  lt: { operand: 'comparable', test: (operand) => ordered(operand, (order) => order < 0) },
  lte: { operand: 'comparable', test: (operand) => ordered(operand, (order) => order <= 0) },
  is: { operand: 'primitive', test: identical },
  isNot: { operand: 'primitive', test: (operand) => not(identical(operand)) },
  in: { operand: 'list', test: oneOf },
  notIn: { operand: 'list', test: (operand) => not(oneOf(operand)) },
  contains: { operand: 'value', test: containing },
  startsWith: {
    operand: 'text',
    test: (operand) => (value) => typeof value === 'string' && value.startsWith(operand as string),
  },
  endsWith: {
    operand: 'text',
    test: (operand) => (value) => typeof value === 'string' && value.endsWith(operand as string),
  },
  truthy: { operand: 'boolean', test: (operand) => (value) => Boolean(value) === operand },
};

const SPELLINGS = new Map<string, ConditionOperator>(
  (Object.keys(OPERATORS) as OperatorName[]).flatMap((name) => [
    [name, { name, isNow: false }],
    [`now${name[0]!.toUpperCase()}${name.slice(1)}`, { name, isNow: true }],
  ]),
);

/**
 * Names that operators have in other libraries, such as `equals`, and that fields hardly have. The keys are as
 * {@link lettersOf} leaves them: in lower case, without `$` and `_`.
 *
 * A condition on a row whose fields are not known cannot tell such a name from the name of a nested field. It is refused
 * below a field all the same, because a wrong operator is by far the likelier meaning.
 */
const SYNONYMS: ReadonlyMap<string, OperatorName> = new Map([
  ['equals', 'eq'],
  ['equal', 'eq'],
  ['equalto', 'eq'],
  ['neq', 'ne'],
  ['notequal', 'ne'],
  ['notequals', 'ne'],
  ['greater', 'gt'],
  ['greaterthan', 'gt'],
  ['greaterthanorequal', 'gte'],
  ['greaterorequal', 'gte'],
  ['geq', 'gte'],
  ['less', 'lt'],
  ['lessthan', 'lt'],
  ['lessthanorequal', 'lte'],
  ['lessorequal', 'lte'],
  ['leq', 'lte'],
  ['nin', 'notIn'],
  ['not', 'ne'],
  ['oneof', 'in'],
  ['anyof', 'in'],
  ['noneof', 'notIn'],
  ['isnull', 'is'],
  ['isnotnull', 'isNot'],
  ['notnull', 'isNot'],
  ['includes', 'contains'],
  ['contain', 'contains'],
  ['beginswith', 'startsWith'],
  ['startwith', 'startsWith'],
  ['endwith', 'endsWith'],
  ['=', 'eq'],
  ['==', 'eq'],
  ['!=', 'ne'],
  ['<>', 'ne'],
  ['>', 'gt'],
  ['>=', 'gte'],
  ['<', 'lt'],
  ['<=', 'lte'],
]);

/** Operators of other libraries that have no counterpart here. Fields hardly have these names. */
const OPERATORS_ELSEWHERE: ReadonlySet<string> = new Set(
  'between exists ilike like regex regexp'.split(' '),
);

/** Undefined when the key is not an operator, and so names a field of the relation or object. */
export function findOperator(key: string): ConditionOperator | undefined {
  return SPELLINGS.get(key);
}

/** The operator that the author of a wrong key probably meant, such as `eq` for `$eq`, and `startsWith` for `starts_with`. */
export function misspeltOperator(key: string): string | undefined {
  const letters = lettersOf(key);
  if (SYNONYMS.has(letters)) return SYNONYMS.get(letters);
  for (const spelling of SPELLINGS.keys()) {
    if (key !== spelling && letters === spelling.toLowerCase()) return spelling;
  }
  return undefined;
}

/** True of a key that is an operator in other libraries, and is no operator here. */
export function isOperatorElsewhere(key: string): boolean {
  return OPERATORS_ELSEWHERE.has(lettersOf(key));
}

export function operatorNames(): readonly string[] {
  return Object.keys(OPERATORS);
}

function lettersOf(key: string): string {
  return key.replaceAll('$', '').replaceAll('_', '').toLowerCase();
}

function not(test: ValueTest): ValueTest {
  return (value) => !test(value);
}

function same(operand: unknown): ValueTest {
  return (value) => isSame(value, operand);
}

function ordered(operand: unknown, holds: (order: number) => boolean): ValueTest {
  return (value) => {
    const order = compare(value, operand);
    return order !== undefined && holds(order);
  };
}

function identical(operand: unknown): ValueTest {
  if (operand === null) return (value) => value === null || value === undefined;
  return (value) => value === operand;
}

function containing(operand: unknown): ValueTest {
  if (typeof operand !== 'string') return (value) => contains(value, operand);
  const holds = textSearch(operand);
  return (value) => (typeof value === 'string' ? holds(value) : contains(value, operand));
}

/**
 * Compares like `same` with each value of the list. It stays fast when both lists are long: the operand, and the value
 * of the row.
 */
function oneOf(operand: unknown): ValueTest {
  const operands = [...(operand as Iterable<unknown>)];
  const plain = new Set(operands.filter((one) => one === null || typeof one !== 'object'));
  const numbers = numberKeys(operands.filter(isNumeric));
  const texts = numberKeys(operands.filter((one) => typeof one === 'string'));
  const objects = operands.filter((one) => typeof one === 'object' && !isNumeric(one));
  return (value) => {
    if (value === undefined || plain.has(value)) return plain.has(value ?? null);
    if (isNumeric(value)) {
      const key = numberKey(value);
      return key !== undefined && (numbers.has(key) || texts.has(key));
    }
    if (typeof value === 'string') return numbers.size > 0 && numbers.has(numberKey(value));
    return typeof value === 'object' && objects.some((one) => isSame(value, one));
  };
}

function numberKeys(values: readonly unknown[]): ReadonlySet<string | undefined> {
  const keys = new Set(values.map(numberKey));
  keys.delete(undefined);
  return keys;
}

/** Longest part that is left to the platform: the time that it may take grows with the product of both lengths. */
const SHORT = 32;

/**
 * Finds a part in texts, in a time that grows with the text alone, whatever both are: either may be an attacker's.
 *
 * @returns whether a text holds the part
 */
export function textSearch(part: string): (text: string) => boolean {
  if (part.length <= SHORT) return (text) => text.includes(part);
  const borders = bordersOf(part);
  return (text) => {
    if (text.length < part.length) return false;
    let matched = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      while (matched > 0 && code !== part.charCodeAt(matched)) matched = borders[matched - 1]!;
      if (code === part.charCodeAt(matched)) matched++;
      if (matched === part.length) return true;
    }
    return false;
  };
}

/** Knuth, Morris and Pratt: of each beginning of the part, how much of its end is the part's beginning again. */
function bordersOf(part: string): Uint32Array {
  const borders = new Uint32Array(part.length);
  let border = 0;
  for (let at = 1; at < part.length; at++) {
    const code = part.charCodeAt(at);
    while (border > 0 && code !== part.charCodeAt(border)) border = borders[border - 1]!;
    if (code === part.charCodeAt(border)) border++;
    borders[at] = border;
  }
  return borders;
}
