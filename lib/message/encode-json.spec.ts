import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../errors/index.js';
import { encodeJson } from './encode-json.js';

const decimal = (text: string) =>
  new (class Decimal {
    toFixed() {
      return text;
    }
    toString() {
      return text;
    }
  })();
const shared = { a: 1 };
const circle: Record<string, unknown> = { name: 'x' };
circle.deep = { list: [circle] };
const nested = (levels: number) => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = { a: value };
  return value;
};

describe('encodeJson', () => {
  it('equals JSON.stringify for plain JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(encodeJson(value)).toBe(JSON.stringify(value));
      }),
      { seed: 7 },
    );
  });

  it('equals JSON.stringify for plain JSON that stands beside a value which needs a copy', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(encodeJson({ big: 1n, value })).toBe(JSON.stringify({ big: '1', value }));
      }),
      { seed: 7 },
    );
  });

  it.each<[string, unknown, unknown]>([
    ['a date', new Date(5), '1970-01-01T00:00:00.005Z'],
    ['a bigint', 9007199254740993n, '9007199254740993'],
    ['a decimal', decimal('10.50'), '10.50'],
    ['a Buffer', Buffer.from('hi!'), 'aGkh'],
    ['a subarray', Buffer.from('xhi!x').subarray(1, 4), 'aGkh'],
    ['a map', new Map<string, unknown>([['a', new Set([1n])]]), { a: ['1'] }],
    ['a set', new Set([1, 'a', new Date(0)]), [1, 'a', '1970-01-01T00:00:00.000Z']],
    ['toJSON', { toJSON: () => ({ big: 1n }) }, { big: '1' }],
    [
      'toJSON that returns itself',
      Object.assign(
        { a: 1n },
        {
          toJSON() {
            return { ...this, toJSON: undefined };
          },
        },
      ),
      { a: '1' },
    ],
    ['an instance', Object.assign(new (class Article {})(), { id: 1 }), { id: 1 }],
    ['a URL', new URL('https://example.com/a'), 'https://example.com/a'],
    ['a boxed number', Object(5), 5],
    ['a boxed text', Object('x'), 'x'],
    ['a boxed boolean', Object(true), true],
    [
      'an object with toFixed and no text of its own',
      {
        price: new (class Money {
          amount = 5;
          toFixed() {}
        })(),
        n: 1n,
      },
      { price: { amount: 5 }, n: '1' },
    ],
    ['undefined in a list', [undefined, 1n], [null, '1']],
    ['the same object twice', [shared, shared], [{ a: 1 }, { a: 1 }]],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ['deep data', nested(400), nested(400)],
    [
      'an object without what it inherits',
      Object.assign(Object.create({ call: () => 1 }) as object, { a: 1 }),
      { a: 1 },
    ],
    [
      'an instance that names itself',
      Object.assign(
        new (class {
          readonly [Symbol.toStringTag] = 'Money';
        })(),
        { amount: 1 },
      ),
      { amount: 1 },
    ],
  ])('encodes %s', (_what, value, expected) => {
    expect(JSON.parse(encodeJson({ value }))).toEqual({ value: expected });
    // Beside a value that forces a copy.
    expect(JSON.parse(encodeJson({ value, big: 1n }))).toEqual({ value: expected, big: '1' });
  });

  it('gives toJSON its key, as JSON.stringify does', () => {
    const value = { toJSON: (key: string) => `key ${key}` };

    expect(encodeJson({ a: value, b: [value] })).toBe('{"a":"key a","b":["key 0"]}');
    expect(encodeJson(value)).toBe('"key "');
  });

  it('leaves out undefined properties and symbols, and keeps __proto__ a key', () => {
    const hostile: unknown = JSON.parse('{"__proto__": {"polluted": true}}');

    expect(encodeJson({ a: undefined, b: 1, [Symbol('c')]: 2 })).toBe('{"b":1}');
    expect(encodeJson({ a: undefined, b: 1n })).toBe('{"b":"1"}');
    expect(encodeJson(hostile)).toBe('{"__proto__":{"polluted":true}}');
    expect(encodeJson({ hostile, big: 1n })).toBe(
      '{"hostile":{"__proto__":{"polluted":true}},"big":"1"}',
    );
    expect(encodeJson(new Map([['__proto__', 1]]))).toBe('{"__proto__":1}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it.each<[string, unknown, string, string]>([
    ['NaN', { price: { amount: NaN } }, 'data.price.amount', 'NaN'],
    ['Infinity', { list: [1, -Infinity] }, 'data.list[1]', '-Infinity'],
    ['NaN from toJSON', { a: { toJSON: () => NaN } }, 'data.a', 'NaN'],
    ['a boxed NaN', { a: Object(NaN) }, 'data.a', 'NaN'],
    ['a function', { call: () => 1 }, 'data.call', 'a function'],
    ['a symbol', { s: Symbol('x') }, 'data.s', 'a symbol'],
    ['a promise', { lazy: Promise.resolve(1) }, 'data.lazy', 'a promise'],
    ['an invalid date', { at: new Date(NaN) }, 'data.at', 'an invalid date'],
    ['a circle', circle, 'data.deep.list[0]', 'a circle'],
    ['a circle through a map', circularMap(), 'data.me', 'a circle'],
    ['a map with other keys', { m: new Map([[1, 2]]) }, 'data.m', 'a map with a number as key'],
    ['other arrays of bytes', { f: new Float32Array(1) }, 'data.f', 'a Float32Array'],
    ['raw memory', { f: new ArrayBuffer(1) }, 'data.f', 'an ArrayBuffer'],
    ['a regular expression', { pattern: /a/ }, 'data.pattern', 'a RegExp'],
    ['an error', { cause: new TypeError('x') }, 'data.cause', 'an Error'],
    [
      'an error with properties',
      { cause: Object.assign(new Error('x'), { id: 1 }) },
      'data.cause',
      'an Error',
    ],
    ['an error beside a bigint', { big: 1n, cause: new Error('x') }, 'data.cause', 'an Error'],
    [
      'an error of another realm',
      { cause: runInNewContext("new Error('x')") },
      'data.cause',
      'an Error',
    ],
    ['a weak map', { cache: new WeakMap() }, 'data.cache', 'a WeakMap'],
    [
      'parameters of a URL',
      { query: new URLSearchParams('a=1') },
      'data.query',
      'a URLSearchParams',
    ],
    ['headers', { headers: new Headers({ a: '1' }) }, 'data.headers', 'a Headers'],
    ['an iterator', { keys: new Map([['a', 1]]).keys() }, 'data.keys', 'a Map Iterator'],
    ['a boxed symbol', { s: Object(Symbol('x')) }, 'data.s', 'a Symbol'],
    ['NaN under an odd key', { 'a.b c': NaN }, 'data["a.b c"]', 'NaN'],
    ['too deep data', nested(600), 'data.a', 'more than 500 levels'],
    ['NaN in a set', { s: new Set([NaN]) }, 'data.s[0]', 'NaN'],
  ])('refuses %s and names its path', (_what, data, path, what) => {
    let error: unknown;
    try {
      encodeJson({ event: 'a.b', data });
    } catch (thrown) {
      error = thrown;
    }

    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error).toMatchObject({ field: 'data', data: { path: expect.stringContaining(path) } });
    expect((error as Error).message).toContain(`data holds ${what} at ${path}`);
  });

  it('refuses undefined', () => {
    expect(() => encodeJson(undefined)).toThrow(InvalidInputError);
    expect(() => encodeJson({ toJSON: () => undefined })).toThrow(InvalidInputError);
  });
});

function circularMap(): Map<string, unknown> {
  const map = new Map<string, unknown>();
  return map.set('me', map);
}
