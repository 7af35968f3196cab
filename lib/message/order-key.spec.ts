import { describe, expect, it } from 'vitest';
import { SystemClock } from '../common/index.js';
import { InvalidInputError } from '../errors/index.js';
import { Codecs } from './codecs.js';
import { MessageFactory } from './message.factory.js';
import { keyHeader, keyTextOf, orderSetting } from './order-key.js';

describe('keyTextOf', () => {
  it.each([
    ['order:5', 'order:5'],
    [5, '5'],
    [0, '0'],
    [12n, '12'],
    ['ä'.repeat(255), 'ä'.repeat(255)],
  ])('reads %s', (key, text) => {
    expect(keyTextOf(orderSetting<unknown>(key))).toBe(text);
  });

  it.each([
    undefined,
    null,
    '',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    true,
    {},
    [],
    new Date(),
    () => 'x',
    'a'.repeat(256),
    '\ud800',
    'a\0b',
    { key: '' },
    { key: undefined },
    { key: 'x', private: 'yes' },
  ])('refuses %s and names orderBy', (key) => {
    expect(() => keyTextOf(orderSetting<unknown>(key))).toThrow(InvalidInputError);
    expect(() => keyTextOf(orderSetting<unknown>(key))).toThrow(/^orderBy/);
  });

  it('hashes a private key', () => {
    const text = keyTextOf({ key: 'tenant-7', private: true });
    expect(text).toMatch(/^[\w-]{22}$/);
    expect(keyTextOf({ key: 'tenant-7', private: true })).toBe(text);
    expect(keyTextOf({ key: 'tenant-8', private: true })).not.toBe(text);
  });
});

it('makes a header of every key, from which the key can be read', () => {
  for (const key of ['article:5', 'ä ö\r\n', '100%', '😀'.repeat(120), ' ', '["a","b"]']) {
    const header = keyHeader(key);
    expect(header).toMatch(/^[\x21-\x7e]+$/);
    expect(decodeURIComponent(header)).toBe(key);
  }
  expect(keyHeader('article:5')).toBe('article:5');
});

describe('the body of a message with a key', () => {
  const factory = (orderInBody?: boolean, envelope?: 'thorn' | (() => unknown)) =>
    new MessageFactory(new SystemClock(), new Codecs(), { orderInBody, envelope });
  const orderBy = { key: 'article:5' };

  it('has key and sequence when that is asked for', () => {
    const message = factory(true).create({ event: 'article.created', data: { a: 1 }, orderBy });
    expect(JSON.parse(message.json.toString())).not.toHaveProperty('key');
    message.number(3);
    const body = { type: 'article.created', data: { a: 1 }, key: 'article:5', sequence: 3 };
    expect(JSON.parse(message.json.toString())).toMatchObject(body);
    expect(message.body('application/x-www-form-urlencoded').toString()).toContain('sequence=3');
    message.number(4);
    expect(JSON.parse(message.json.toString())).toMatchObject({ sequence: 4 });
    expect(message.body('application/x-www-form-urlencoded').toString()).toContain('sequence=4');
  });

  it('has neither by default, nor without a key', () => {
    const plain = factory().create({ event: 'article.created', orderBy });
    plain.number(3);
    expect(plain.json.toString()).toBe(plain.text);
    const unordered = factory(true).create({ event: 'article.created' });
    expect(unordered.settings).toEqual({});
    expect(unordered.key).toBeNull();
  });

  it('follows the setting of the event', () => {
    const settings = { orderInBody: false };
    const message = factory(true).create({ event: 'article.created', orderBy, settings });
    message.number(3);
    expect(message.json.toString()).toBe(message.text);
  });

  it('stays JSON whatever the envelope makes of it', () => {
    for (const value of [{}, { a: 1 }, [1], 'text}']) {
      const message = factory(true, () => value).create({ event: 'a.b', orderBy });
      message.number(3);
      const isObject = typeof value === 'object' && !Array.isArray(value);
      const order = { key: 'article:5', sequence: 3 };
      expect(JSON.parse(message.json.toString())).toEqual(
        isObject ? { ...value, ...order } : value,
      );
    }
  });
});
