import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { compileCondition } from './condition-compile.js';
import { operatorNames } from './condition-operators.js';

const big = (text: string) => ({ toFixed: () => text, toString: () => text });
const NEW_YEAR = new Date('2026-01-01T00:00:00Z');
const LATER = new Date('2026-01-02T00:00:00Z');

/** Operator, type, operand, values for which it holds, values for which it does not. */
const TABLE: [string, string, unknown, unknown[], unknown[]][] = [
  ['eq', 'text', 'a', ['a'], ['b', 'A', '', null, undefined, true, ['a']]],
  ['eq', 'number', 1, [1, 1n, '1', '1.0', big('1.00')], [2, true, '', 'x', null, NaN, [1]]],
  ['eq', 'zero', 0, [0, -0, '0', '-0.0', 0n], [false, null, undefined, '', 'zero']],
  ['eq', 'decimal fraction', 0.1, [0.1, '0.10', big('0.1')], ['0.1000000000000000055', 0.2]],
  ['eq', 'bigint', 9007199254740993n, ['9007199254740993'], [9007199254740992n, 9007199254740992]],
  ['eq', 'decimal', big('1e3'), [1000, '1000.000', big('1000')], [1001, '1e4', 'x', null]],
  ['eq', 'boolean', true, [true], [1, 'true', 'x', false, null, undefined, {}]],
  ['eq', 'null', null, [null, undefined], [0, '', false, NaN, []]],
  ['eq', 'date', NEW_YEAR, [new Date(NEW_YEAR)], [LATER, NEW_YEAR.getTime(), null, new Date(NaN)]],
  ['eq', 'array', ['a', 1], [['a', 1n]], [['a'], [1, 'a'], ['a', 1, 2], null, 'a']],
  ['eq', 'set', new Set(['a', 'b']), [new Set(['b', 'a'])], [new Set(['a']), ['a', 'b'], null]],
  ['eq', 'map', new Map([['a', 1]]), [new Map([['a', 1]])], [new Map([['a', 2]]), new Map(), null]],
  ['eq', 'bytes', Buffer.from('a'), [Uint8Array.of(97)], [Uint8Array.of(98), 'a', null]],
  ['eq', 'JSON list', [{ a: [1] }], [[{ a: [1] }]], [[{ a: [2] }], [{}], [{ a: [1], b: 1 }]]],
  ['ne', 'text', 'a', ['b', '', null, undefined], ['a']],
  ['ne', 'number', 1, [2, null, 'x'], [1, 1n, '1.0']],
  ['ne', 'null', null, ['', 0, false], [null, undefined]],
  ['ne', 'date', NEW_YEAR, [LATER, null], [new Date(NEW_YEAR)]],
  ['gt', 'number', 5, [6, 5.1, '5.01', 6n], [5, 4, null, undefined, 'x', NaN, true]],
  ['gt', 'text', 'b', ['c', 'ba'], ['b', 'a', 'B', '', null, undefined]],
  ['gt', 'date', NEW_YEAR, [LATER], [NEW_YEAR, new Date(0), null, new Date(NaN)]],
  [
    'gt',
    'bigint',
    9007199254740992n,
    [9007199254740993n, '9007199254740993'],
    [9007199254740992n, null],
  ],
  ['gt', 'decimal', big('9.50'), ['10', '9.500001', big('1e1'), 10n], ['9.5', 9.5, '-10', null]],
  ['gt', 'negative decimal', big('-1.5'), ['-1.49', 0, '-0.2'], ['-1.5', '-15', '-1.51']],
  ['gte', 'number', 5, [5, 6], [4, null]],
  ['gte', 'text', 'b', ['b', 'c'], ['a', null]],
  ['gte', 'date', NEW_YEAR, [new Date(NEW_YEAR), LATER], [new Date(0), null]],
  ['gte', 'decimal', big('1.10'), ['1.1', 2], ['1.0999', null]],
  ['lt', 'number', 5, [4, -1, '4.99'], [5, 6, null, undefined]],
  ['lt', 'text', 'b', ['a', ''], ['b', 'c', null]],
  ['lt', 'date', NEW_YEAR, [new Date(0)], [NEW_YEAR, LATER, null]],
  ['lt', 'bigint', 3n, [2n, 2, '-5'], [3n, 4, null]],
  ['lte', 'number', 5, [5, 4], [6, null]],
  ['lte', 'text', 'b', ['b', 'a'], ['c', null]],
  ['lte', 'date', NEW_YEAR, [new Date(NEW_YEAR), new Date(0)], [LATER, null]],
  ['is', 'null', null, [null, undefined], [0, '', false]],
  ['is', 'number', 1, [1], [1n, '1', true, null]],
  ['is', 'boolean', true, [true], [1, 'true', null]],
  ['isNot', 'null', null, [0, '', false], [null, undefined]],
  ['isNot', 'text', 'a', ['b', null], ['a']],
  ['in', 'text', ['a', 'b'], ['a', 'b'], ['c', null, undefined, ['a']]],
  ['in', 'numbers and null', [1, null], [1, '1', null, undefined], [2, '', false]],
  ['in', 'dates', [NEW_YEAR], [new Date(NEW_YEAR)], [LATER, null]],
  ['in', 'set', new Set(['a']), ['a'], ['b']],
  ['in', 'nothing', [], [], ['a', null, undefined]],
  ['notIn', 'text', ['a', 'b'], ['c', null, undefined], ['a', 'b']],
  ['notIn', 'bigints', [1n], [2n, null], [1n, 1, '1']],
  ['notIn', 'nothing', [], ['a', null], []],
  ['contains', 'text', 'ell', ['hello', 'ell'], ['HELLO', 'el', null, undefined, 5]],
  ['contains', 'text with the signs of patterns', '.*', ['a.*b'], ['ab', 'a.b']],
  ['contains', 'array', 'a', [['a', 'b']], [['ab'], [], null]],
  ['contains', 'array of dates', NEW_YEAR, [[new Date(NEW_YEAR)]], [[LATER]]],
  ['contains', 'set', 1, [new Set([1]), new Set(['1'])], [new Set([2]), new Set()]],
  ['contains', 'map', 'a', [new Map([['a', 0]])], [new Map([['b', 'a']])]],
  ['contains', 'object', 'a', [{ a: undefined }], [{ b: 'a' }, {}, Object.create({ a: 1 })]],
  ['contains', 'inherited names', 'toString', [{ toString: 1 }], [{}, NEW_YEAR]],
  ['startsWith', 'text', 'The', ['The end', 'The'], ['the end', 'In The', '', null, 5, ['The']]],
  ['endsWith', 'text', 'end', ['The end', 'end'], ['The End', 'ends', '', null, 5]],
  ['truthy', 'true', true, [true, 1, 'x', 1n, {}, []], [false, 0, '', null, undefined, 0n, NaN]],
  ['truthy', 'false', false, [false, 0, '', null, undefined], [true, 1, 'x']],
];

describe('operators', () => {
  it('are all in the table', () => {
    expect([...new Set(TABLE.map(([name]) => name))].sort()).toEqual([...operatorNames()].sort());
  });

  it.each(TABLE)('%s compares with %s', (name, _type, operand, holding, failing) => {
    const plain = compileCondition({ field: { [name]: operand } });

    for (const value of holding) {
      expect(plain.holds({ field: value }, null), `create with ${shown(value)}`).toBe(true);
      for (const before of [...holding, ...failing]) {
        expect(plain.holds({ field: value }, { field: before }), shown(before, value)).toBe(true);
      }
    }
    for (const value of failing) {
      expect(plain.holds({ field: value }, null), `create with ${shown(value)}`).toBe(false);
      for (const before of [...holding, ...failing]) {
        expect(plain.holds({ field: value }, { field: before }), shown(before, value)).toBe(false);
      }
    }
    expect(plain.paths).toEqual(['field']);
    expect(plain.beforePaths).toEqual([]);
  });

  it.each(TABLE)('%s as a transition, with %s', (name, _type, operand, holding, failing) => {
    const transition = `now${name[0]!.toUpperCase()}${name.slice(1)}`;
    const compiled = compileCondition({ field: { [transition]: operand } });

    for (const value of holding) {
      expect(compiled.holds({ field: value }, null), `create with ${shown(value)}`).toBe(true);
      for (const before of failing) {
        expect(compiled.holds({ field: value }, { field: before }), shown(before, value)).toBe(
          true,
        );
      }
      for (const before of holding) {
        expect(compiled.holds({ field: value }, { field: before }), shown(before, value)).toBe(
          false,
        );
      }
    }
    for (const value of failing) {
      expect(compiled.holds({ field: value }, null), `create with ${shown(value)}`).toBe(false);
      for (const before of [...holding, ...failing]) {
        expect(compiled.holds({ field: value }, { field: before }), shown(before, value)).toBe(
          false,
        );
      }
    }
    expect(compiled.paths).toEqual(['field']);
    expect(compiled.beforePaths).toEqual(['field']);
  });
});

function shown(...values: unknown[]): string {
  return values.map((value) => inspect(value)).join(' to ');
}

describe('in', () => {
  const values: unknown[] = [
    [1, 1.5, -0, 0, 1e21, 0.1, -3, NaN, Infinity, 2 ** 53, 10n, 1n, 2n ** 70n],
    ['1', '1.0', '1e0', '10', '0', '-0', '', 'a', 'NaN', 'Infinity', '1000000000000000000000'],
    [null, undefined, true, false, new Date(0), new Date(1), new Number(1), big('10')],
    [[1], ['1'], [], { a: 1 }, { a: '1' }, new Set([1]), new Map([[1, 2]]), Buffer.from('a')],
  ].flat();

  it('holds where eq holds with one of them', () => {
    const operands = values.filter((one) => ![undefined, NaN, Infinity].includes(one as never));
    const holds = (condition: object, value: unknown) =>
      compileCondition({ field: condition }).holds({ field: value }, null);
    for (const value of values) {
      const equal = operands.filter((one) => holds({ eq: one }, value));
      for (const one of operands) {
        expect(holds({ in: [one] }, value), shown(value, one)).toBe(equal.includes(one));
      }
      expect(holds({ in: operands }, value), inspect(value)).toBe(equal.length > 0);
      const others = operands.filter((one) => !equal.includes(one));
      expect(holds({ in: others }, value), inspect(value)).toBe(false);
    }
  });

  it('takes no product of the lengths of two lists', () => {
    // Compared one with each other, these would take longer than a test may.
    const items = Array.from({ length: 20_000 }, (_, at) => ({ id: at + 10, name: `${at}x` }));
    for (const condition of [
      { items: { id: { in: Array.from({ length: 9000 }, (_, at) => String(at % 10)) } } },
      { items: { name: { in: Array.from({ length: 9000 }, (_, at) => at) } } },
    ]) {
      expect(compileCondition(condition).holds({ items }, null)).toBe(false);
    }
  });
});
