import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../errors/index.js';
import { checkEventName, compileEventName, encodeSegment } from './event-name.js';

const wellFormed = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 });
const hostile = fc.string({
  unit: fc.constantFrom('.', '*', '_', '2', 'e', 'a', '-', '/', '\n', 'é', '😀', '\u0000'),
  minLength: 1,
  maxLength: 6,
});
const value = fc.oneof(wellFormed, hostile);

describe('checkEventName', () => {
  it.each(['article', 'article.published', 'a-b.c_d.9', '_', Array(16).fill('a').join('.')])(
    'takes %s',
    (name) => expect(() => checkEventName(name)).not.toThrow(),
  );

  it.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a.*',
    '*',
    'a b',
    'é',
    'a/b',
    'a\n',
    'user.{name}',
    'a'.repeat(257),
    Array(17).fill('a').join('.'),
    null,
    5,
  ])('refuses %j', (name) => {
    expect(() => checkEventName(name)).toThrow(InvalidInputError);
  });
});

describe('compileEventName', () => {
  it('leaves a name without fields as it is', () => {
    const name = compileEventName('article.published');

    expect(name).toMatchObject({ paths: [], pattern: 'article.published' });
    expect(name.fill(null)).toBe('article.published');
  });

  it('fills fields from the row', () => {
    const name = compileEventName('org.{owner.slug}.by.{id}');

    expect(name.paths).toEqual(['owner.slug', 'id']);
    expect(name.pattern).toBe('org.*.by.*');
    expect(name.segments).toEqual(['org', null, 'by', null]);
    expect(name.fill({ owner: { slug: 'jane-doe' }, id: 5 })).toBe('org.jane-doe.by.5');
    expect(name.fill({ owner: { slug: 'a.*' }, id: 5n })).toBe('org.a_2e_2a.by.5');
    expect(name.fill({ owner: { slug: 'über_x' }, id: true })).toBe('org._c3_bcber_5fx.by.true');
  });

  it.each([
    [{ owner: { slug: null } }, 'owner.slug is null'],
    [{ owner: {} }, 'owner.slug is missing'],
    [{ owner: null }, 'owner.slug is missing'],
    [null, 'owner.slug is missing'],
    [Object.create({ owner: { slug: 'inherited' } }), 'owner.slug is missing'],
    [{ owner: { slug: '' } }, 'owner.slug is empty'],
    [{ owner: { slug: {} } }, 'owner.slug is not a text'],
    [{ owner: { slug: NaN } }, 'owner.slug is NaN'],
    [{ owner: { slug: '\ud800' } }, 'owner.slug is not well-formed Unicode'],
    [{ owner: { slug: 'x'.repeat(257) } }, 'owner.slug makes the event name'],
  ])('says which field has no usable value: %j', (row, message) => {
    const name = compileEventName('org.{owner.slug}.renamed');

    expect(() => name.fill(row)).toThrow(InvalidInputError);
    expect(() => name.fill(row)).toThrow(message);
  });

  it.each([
    'user.{.username}',
    'user.{}',
    'user.{a b}',
    'user.x{name}',
    'user.{name}x',
    'user.{a}{b}',
    'user.{name',
    'user.name}',
    'user.{{name}}',
    'user.{__proto__.x}',
    'user.{constructor.name}',
    'user.*',
    '',
  ])('refuses %j', (name) => {
    expect(() => compileEventName(name)).toThrow(InvalidInputError);
  });

  it('never makes more or less than one segment of a value', () => {
    const name = compileEventName('a.{value}.b');
    fc.assert(
      fc.property(value, (text) => {
        const filled = name.fill({ value: text });
        checkEventName(filled);
        expect(filled.split('.')).toHaveLength(3);
      }),
      { seed: 11, numRuns: 1_000 },
    );
  });
});

describe('encodeSegment', () => {
  it('is decoded to what it was made from, so that no two values collide', () => {
    fc.assert(
      fc.property(value, (text) => {
        // Other characters are escaped as in a URL, with `_` for `%`.
        expect(decodeURIComponent(encodeSegment(text).replaceAll('_', '%'))).toBe(text);
      }),
      { seed: 12, numRuns: 2_000 },
    );
  });

  it('makes different segments of different values', () => {
    fc.assert(
      fc.property(hostile, hostile, (one, other) => {
        expect(encodeSegment(one) === encodeSegment(other)).toBe(one === other);
      }),
      { seed: 13, numRuns: 2_000 },
    );
  });
});
