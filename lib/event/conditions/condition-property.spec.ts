import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCondition } from './condition-compile.js';

type Row = Record<string, unknown>;

/** The meaning of conditions, written down a second time and as plainly as can be: the compiled form must agree. */
function holdsPlainly(
  scope: unknown,
  now: unknown,
  before: Row | null,
  path: string[] = [],
): boolean {
  const verdicts: boolean[] = [];
  const fields: [string, unknown][] = [];
  for (const [key, given] of Object.entries(scope as Row)) {
    if (key === 'NOT') verdicts.push(!holdsPlainly(given, now, before, path));
    else if (key === 'AND') {
      verdicts.push(!(given as unknown[]).some((one) => !holdsPlainly(one, now, before, path)));
    } else if (key === 'OR') {
      verdicts.push((given as unknown[]).some((one) => holdsPlainly(one, now, before, path)));
    } else if (path.length > 0 && key in PLAIN) verdicts.push(PLAIN[key]!(now, given));
    else if (path.length > 0 && key.startsWith('now')) {
      const plain = PLAIN[key[3]!.toLowerCase() + key.slice(4)]!;
      const earlier = before === null ? [] : valuesAt(before, path);
      verdicts.push(plain(now, given) && !earlier.some((value) => plain(value, given)));
    } else fields.push([key, given]);
  }
  if (fields.length > 0) {
    const elements = Array.isArray(now) ? now : [now];
    const everyField = (element: unknown) =>
      fields.filter(([key, given]) => {
        const value = (element as Row | null | undefined)?.[key];
        const nested = typeof given === 'object' && given !== null && !(given instanceof Date);
        return nested
          ? holdsPlainly(given, value, before, [...path, key])
          : PLAIN.eq!(value, given);
      }).length === fields.length;
    verdicts.push(elements.filter(everyField).length > 0);
  }
  return !verdicts.includes(false);
}

const rank = (value: unknown) => (value instanceof Date ? value.getTime() : (value as number));
const kind = (value: unknown) => (value instanceof Date ? 'date' : typeof value);
const alike = (a: unknown, b: unknown) =>
  kind(a) === kind(b) && ['date', 'number', 'string'].includes(kind(a));
const equal = (a: unknown, b: unknown) =>
  (a ?? null) === (b ?? null) || (kind(a) === 'date' && kind(b) === 'date' && rank(a) === rank(b));

const PLAIN: Record<string, (value: unknown, operand: unknown) => boolean> = {
  eq: equal,
  ne: (a, b) => !equal(a, b),
  is: (a, b) => (b === null ? a === null || a === undefined : a === b),
  isNot: (a, b) => (b === null ? a !== null && a !== undefined : a !== b),
  gt: (a, b) => alike(a, b) && rank(a) > rank(b),
  gte: (a, b) => alike(a, b) && rank(a) >= rank(b),
  lt: (a, b) => alike(a, b) && rank(a) < rank(b),
  lte: (a, b) => alike(a, b) && rank(a) <= rank(b),
  in: (a, b) => (b as unknown[]).some((one) => equal(a, one)),
  notIn: (a, b) => !(b as unknown[]).some((one) => equal(a, one)),
  contains: (a, b) => typeof a === 'string' && typeof b === 'string' && a.indexOf(b) >= 0,
  startsWith: (a, b) => typeof a === 'string' && a.indexOf(b as string) === 0,
  endsWith: (a, b) => typeof a === 'string' && a.slice(a.length - (b as string).length) === b,
  truthy: (a, b) => !!a === b,
};

function valuesAt(row: unknown, path: string[]): unknown[] {
  return path.reduce<unknown[]>(
    (rows, key) =>
      rows
        .flatMap((one) => (Array.isArray(one) ? one : [one]))
        .map((one) => (one as Row | null)?.[key]),
    [row],
  );
}

const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 3 });
const scalar = fc.oneof(
  fc.constantFrom(null, true, false),
  fc.integer({ min: 0, max: 3 }),
  text,
  fc.integer({ min: 0, max: 2 }).map((time) => new Date(time)),
);
const ordered = scalar.filter((value) => value !== null && typeof value !== 'boolean');
const primitive = scalar.filter((value) => !(value instanceof Date));

const operands: Record<string, fc.Arbitrary<unknown>> = {
  eq: scalar,
  ne: scalar,
  is: primitive,
  isNot: primitive,
  gt: ordered,
  gte: ordered,
  lt: ordered,
  lte: ordered,
  in: fc.array(scalar, { maxLength: 3 }),
  notIn: fc.array(scalar, { maxLength: 3 }),
  contains: scalar,
  startsWith: text,
  endsWith: text,
  truthy: fc.boolean(),
};
const operatorKeys = Object.keys(operands).flatMap((name): [string, fc.Arbitrary<unknown>][] => [
  [name, operands[name]!],
  [`now${name[0]!.toUpperCase()}${name.slice(1)}`, operands[name]!],
]);
const operator = fc
  .constantFrom(...operatorKeys)
  .chain(([key, operand]) => operand.map((given): Row => ({ [key]: given })));
const operators = fc
  .array(operator, { minLength: 1, maxLength: 2 })
  .map((all) => Object.assign({}, ...all) as Row);

const { row, condition } = fc.letrec<{
  row: Row;
  value: unknown;
  condition: Row;
  field: unknown;
  nested: Row;
}>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.constant(undefined),
    tie('row'),
    fc.array(tie('row'), { maxLength: 3 }),
  ),
  row: fc.dictionary(fc.constantFrom('x', 'y', 'z'), tie('value'), {
    maxKeys: 3,
  }) as fc.Arbitrary<Row>,
  condition: joined(
    tie('field'),
    fc.oneof({ depthSize: 'small' }, dict(tie('field')), tie('condition')),
  ),
  field: fc.oneof({ depthSize: 'small' }, operators, scalar, tie('nested')),
  nested: fc.oneof(
    { depthSize: 'small' },
    operators,
    fc.tuple(operators, dict(tie('field'))).map(([one, other]) => ({ ...one, ...other })),
    joined(tie('field'), tie('nested')),
  ),
}));

function dict(field: fc.Arbitrary<unknown>): fc.Arbitrary<Row> {
  return fc.dictionary(fc.constantFrom('x', 'y', 'z'), field, {
    minKeys: 1,
    maxKeys: 2,
  }) as fc.Arbitrary<Row>;
}

function joined(field: fc.Arbitrary<unknown>, scope: fc.Arbitrary<Row>): fc.Arbitrary<Row> {
  const list = fc.array(scope, { minLength: 1, maxLength: 2 });
  return fc.oneof(
    { depthSize: 'small' },
    dict(field),
    fc.record({ AND: list, OR: list, NOT: scope }, { requiredKeys: ['AND'] }),
    fc.record({ OR: list, x: field }),
    fc.record({ NOT: scope }),
  );
}

describe('a compiled condition', () => {
  it('agrees with the plain reading of it', () => {
    const seen = { holds: 0, fails: 0 };
    fc.assert(
      fc.property(condition, row, fc.option(row), (when, now, before) => {
        const compiled = compileCondition(when);
        const expected = holdsPlainly(when, now, before);
        seen[expected ? 'holds' : 'fails']++;
        expect(compiled.holds(now, before)).toBe(expected);
      }),
      { numRuns: 5_000, seed: 2026 },
    );
    expect(Math.min(seen.holds, seen.fails)).toBeGreaterThan(500);
  });
});
