import { describe, expect, it } from 'vitest';
import { ThornConfigurationError } from '../../errors/index.js';
import { Q } from './condition.js';
import { compileCondition, conditionFromJson, conditionToJson } from './condition-compile.js';

interface Invoice {
  id: number;
  state: string;
  due: Date;
  amount: bigint;
  price: { toFixed(): string; toString(): string };
  labels: Set<string>;
  scores: Map<string, number>;
  file: Uint8Array;
}

const price = { toFixed: () => '9.50', toString: () => '9.50' };

describe('conditionToJson', () => {
  it('has an encoding for every value that JSON lacks', () => {
    const json = conditionToJson<Invoice>({
      due: { gt: new Date(0) },
      amount: 5n,
      price: { lt: price },
      state: { in: ['x'] },
      OR: [{ id: 1 }, { NOT: { due: new Date(1) } }],
    });

    expect(json).toStrictEqual({
      due: { gt: { $date: '1970-01-01T00:00:00.000Z' } },
      amount: { $decimal: '5' },
      price: { lt: { $decimal: '9.50' } },
      state: { in: ['x'] },
      OR: [{ id: 1 }, { NOT: { due: { $date: '1970-01-01T00:00:00.001Z' } } }],
    });
    expect(JSON.parse(JSON.stringify(json))).toStrictEqual(json);
    expect(conditionToJson(conditionFromJson(json) as never)).toStrictEqual(json);
  });

  it.each([
    [{ labels: { eq: new Set(['a']) } }, 'a Set'],
    [{ scores: { eq: new Map([['a', 1]]) } }, 'a Map'],
    [{ file: Uint8Array.from([1]) }, 'a Uint8Array'],
    [{ file: Buffer.from([1]) }, 'a Buffer'],
  ])('refuses %j, which JSON cannot hold', (condition, what) => {
    expect(() => conditionToJson<Invoice>(condition)).toThrow(ThornConfigurationError);
    expect(() => conditionToJson<Invoice>(condition)).toThrow(`has ${what}, which JSON`);
  });

  it('refuses anything but a condition', () => {
    expect(() => conditionToJson({ state: { in: 'x' } })).toThrow(ThornConfigurationError);
  });
});

describe('conditionFromJson', () => {
  it('gives a condition that holds for the same rows', () => {
    const json: unknown = JSON.parse(
      '{"due": {"gt": {"$date": "2026-01-01T00:00:00Z"}}, "amount": {"$decimal": "9007199254740993"},' +
        ' "price": {"$decimal": "1.10"}, "state": "9007199254740993"}',
    );
    const row = {
      due: new Date('2026-01-01T00:00:00.001Z'),
      amount: 9007199254740993n,
      price: '1.1',
      state: '9007199254740993',
    };

    for (const condition of [conditionFromJson(json), json as object]) {
      const compiled = compileCondition(condition as never);
      expect(compiled.holds(row, null)).toBe(true);
      expect(compiled.holds({ ...row, amount: 9007199254740992n }, null)).toBe(false);
      expect(compiled.holds({ ...row, price: '1.11' }, null)).toBe(false);
      // Texts are compared as texts.
      expect(compiled.holds({ ...row, state: '09007199254740993' }, null)).toBe(false);
    }
  });

  it.each([
    ...['yesterday', '5', 'March 7', '2026-02-31', '2026-01-31T08:00:00'].map((date) => [
      `{"a": {"eq": {"$date": "${date}"}}}`,
      'needs a time in ISO 8601',
    ]),
    ['{"a": {"$date": 5}}', 'ISO 8601'],
    ['{"a": {"$decimal": "ten"}}', 'not a decimal number'],
    ...['$bigint', '$set', '$map', '$bytes'].map((tag) => [
      `{"a": {"eq": {"${tag}": "1"}}}`,
      `unknown encoding ${tag}. Valid encodings: $date, $decimal`,
    ]),
    ['{"a": {"eq": {"$regex": "x"}}}', 'unknown encoding $regex'],
    ['{"a": {"__proto__": {"x": 1}}}', '__proto__'],
    ['{"constructor": {"x": 1}}', 'constructor'],
    ['[]', 'object of fields'],
    ['null', 'object of fields'],
    ['"x"', 'object of fields'],
  ])('refuses %s', (json, reason) => {
    expect(() => conditionFromJson(JSON.parse(json))).toThrow(ThornConfigurationError);
    expect(() => conditionFromJson(JSON.parse(json))).toThrow(reason);
  });
});

describe('Q', () => {
  it('builds the very object that could have been written by hand', () => {
    const built = Q<Invoice>({ state: 'OPEN' })
      .and({ id: { gt: 5 } }, { amount: 1n })
      .or(Q<Invoice>({ state: 'LATE' }).not());

    expect(built).toStrictEqual({
      OR: [
        { AND: [{ state: 'OPEN' }, { id: { gt: 5 } }, { amount: 1n }] },
        { NOT: { state: 'LATE' } },
      ],
    });
    const compiled = compileCondition<Invoice>(built);
    expect(compiled.holds({ state: 'OPEN', id: 6, amount: 1n }, null)).toBe(true);
    expect(compiled.holds({ state: 'LATE', id: 6, amount: 1n }, null)).toBe(false);
    expect(JSON.stringify(Q({ a: 1 }))).toBe('{"a":1}');
  });

  it('leaves what it was given alone', () => {
    const first = { state: 'OPEN' };
    const q = Q<Invoice>(first);
    q.and({ id: 1 });
    q.not();

    expect(q).toStrictEqual({ state: 'OPEN' });
    expect(first).toStrictEqual({ state: 'OPEN' });
  });

  it('says so when a field has the name of one of its methods', () => {
    expect(() => Q({ and: 1 })).toThrow('write the condition as an object');
  });
});
