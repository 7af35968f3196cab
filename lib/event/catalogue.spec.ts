import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError, ThornConfigurationError } from '../errors/index.js';
import { EventCatalogue } from './catalogue.js';
import { dataType, defineEvents, type EventDefinitions } from './define-events.js';
import { compileEventName } from './event-name.js';
import { covers, namesOfPattern, overlap } from './event-patterns.js';

function catalogueOf(names: readonly string[], eventTypes?: readonly string[]): EventCatalogue {
  const catalogue = new EventCatalogue({ eventTypes });
  for (const name of names) catalogue.declare({ name, source: 'Test' });
  return catalogue;
}

describe('EventCatalogue', () => {
  it('knows what was declared, fields included', () => {
    const catalogue = catalogueOf(['article.created', 'user.{username}', 'org.{slug}.renamed']);

    expect(catalogue.names()).toEqual(['article.created', 'user.{username}', 'org.{slug}.renamed']);
    expect(catalogue.get('user.{username}')).toEqual({ name: 'user.{username}', source: 'Test' });
    expect(catalogue.get('user.jane')).toBeUndefined();
    for (const name of ['article.created', 'user.jane', 'org.x.renamed']) {
      expect(catalogue.has(name), name).toBe(true);
    }
    for (const name of ['article', 'article.removed', 'user', 'user.a.b', 'org.renamed']) {
      expect(catalogue.has(name), name).toBe(false);
    }
    expect(catalogue.has('user.{username}')).toBe(false);
  });

  it('finds the declaration of an event: by its very name, else by its fields', () => {
    const catalogue = catalogueOf(['user.{username}', 'user.created']);

    expect(catalogue.declarationOf('user.created')?.name).toBe('user.created');
    expect(catalogue.declarationOf('user.jane')?.name).toBe('user.{username}');
    expect(catalogue.declarationOf('article.created')).toBeUndefined();
  });

  it('refuses a wrong name', () => {
    expect(() => catalogueOf(['article.*'])).toThrow(InvalidInputError);
  });

  it.each<[string, object, object]>([
    ['the same place', { source: 'A', origin: 'entity' }, { source: 'A', origin: 'entity' }],
    ['two methods', { source: 'A.x', origin: 'method' }, { source: 'A.y', origin: 'method' }],
    ['a description', { source: 'A', origin: 'entity' }, { source: 'B', description: 'x' }],
    ['one schema', { source: 'A', schema: { a: 1 } }, { source: 'B', schema: { a: 1 } }],
  ])('takes an event twice: %s', (_what, one, other) => {
    for (const [first, second] of [
      [one, other],
      [other, one],
    ]) {
      const catalogue = new EventCatalogue();
      catalogue.declare({ name: 'a.b', ...first } as never);
      catalogue.declare({ name: 'a.b', ...second } as never);
      expect(catalogue.names()).toEqual(['a.b']);
    }
  });

  it('adds a description to the event that an entity sends', () => {
    const catalogue = new EventCatalogue({
      events: defineEvents({ 'a.b': { description: 'It happened' } }),
    });
    catalogue.declare({ name: 'a.b', source: 'Article', origin: 'entity' });

    expect(catalogue.get('a.b')).toEqual({
      name: 'a.b',
      source: 'Article',
      origin: 'entity',
      description: 'It happened',
    });
  });

  it.each<[string, object, object]>([
    ['two entities', { source: 'A', origin: 'entity' }, { source: 'B', origin: 'entity' }],
    [
      'an entity and a method',
      { source: 'A', origin: 'entity' },
      { source: 'B', origin: 'method' },
    ],
    ['two descriptions', { source: 'A', description: 'x' }, { source: 'B', description: 'y' }],
    ['two schemas', { source: 'A', schema: class {} }, { source: 'B', schema: class {} }],
  ])('refuses an event that means two things: %s', (_what, one, other) => {
    const catalogue = new EventCatalogue();
    catalogue.declare({ name: 'a.b', ...one } as never);
    const again = () => catalogue.declare({ name: 'a.b', ...other } as never);

    expect(again).toThrow(ThornConfigurationError);
    expect(again).toThrow(/a\.b is declared by A and by B/);
  });

  it.each([
    ['*', true],
    ['article.*', true],
    ['article.created', true],
    ['*.created', true],
    ['user.jane', true],
    ['user.*', true],
    ['*.*.renamed', true],
    ['org.acme.renamed', true],
    ['org.*', true],
    ['*.renamed', true],
    ['artcile.*', false],
    ['article.removed', false],
    ['article.created.*', false],
    ['*.deleted', true],
    ['*.deleted.now', false],
    ['user.jane.doe', false],
    ['user', false],
    ['org.acme.moved', false],
    ['*.*.*.*', false],
  ])('judges whether %s can match an event: %s', (pattern, known) => {
    const check = () =>
      catalogueOf(['article.created', 'user.{username}', 'org.{slug}.renamed']).checkPatternKnown(
        pattern,
      );

    if (known) expect(check).not.toThrow();
    else {
      expect(check).toThrow(InvalidInputError);
      expect(check).toThrow(
        `events must not hold ${pattern}, which matches no event; there are article.created`,
      );
    }
  });

  it('takes every pattern when nothing is declared', () => {
    expect(() => catalogueOf([]).checkPatternKnown('anything.*')).not.toThrow();
  });

  it.each([
    [['article.*'], 'article.created', true],
    [['article.*'], 'article.*', true],
    [['article.*'], 'order.paid', false],
    [['article.*'], '*', false],
    [['article.*'], '*.created', false],
    [['article.*', 'user.*'], '*.created', true],
    [['article.*', 'order.paid', 'user.{id}'], '*', true],
    [['user.{id}'], 'user.jane', true],
    [['user.admin'], 'user.admin', true],
    [['user.admin'], 'user.jane', false],
    [['user.admin'], 'user.*', false],
    [['*'], '*', true],
    [[], 'order.paid', false],
  ])('lets eventTypes %j have %s subscribed to: %s', (eventTypes, pattern, allowed) => {
    const catalogue = catalogueOf(['article.created', 'order.paid', 'user.{id}'], eventTypes);
    const check = () => catalogue.checkPatternKnown(pattern);

    if (allowed) expect(check).not.toThrow();
    else expect(check).toThrow('cannot be subscribed to');
  });

  it('lets eventTypes count alone when nothing is declared', () => {
    const catalogue = catalogueOf([], ['article.*']);

    expect(() => catalogue.checkPatternKnown('article.created')).not.toThrow();
    expect(() => catalogue.checkPatternKnown('*')).toThrow(InvalidInputError);
    expect(() => catalogue.checkPatternKnown('order.paid')).toThrow(InvalidInputError);
  });

  it('does not name what is hidden', () => {
    const catalogue = catalogueOf(['article.created', 'secret.thing'], ['article.*']);

    expect(catalogue.subscribable()).toEqual(['article.created']);
    expect(() => catalogue.checkPatternKnown('order.*')).toThrow(/there are article.created$/);
  });

  it.each([['a b'], ['art*.x'], [''], [5]])('refuses the event type %j', (eventType) => {
    const make = () => new EventCatalogue({ eventTypes: [eventType as string] });

    expect(make).toThrow(ThornConfigurationError);
    expect(make).toThrow(JSON.stringify(eventType));
  });
});

describe('sets of names', () => {
  const segment = fc.constantFrom('a', 'b');
  const pattern = fc
    .array(fc.oneof(segment, fc.constant('*')), { minLength: 1, maxLength: 3 })
    .map((segments) => segments.join('.'));
  const template = fc
    .array(fc.oneof(segment, fc.constant('{x}')), { minLength: 1, maxLength: 3 })
    .map((segments) => segments.join('.'));

  // Every name of up to five segments, of both words and of one that no pattern spells out.
  const names = [1, 2, 3, 4, 5]
    .reduce<string[][]>(
      (all) => [
        ...all,
        all
          .at(-1)!
          .flatMap((name) => ['a', 'b', 'c'].map((one) => (name === '' ? one : `${name}.${one}`))),
      ],
      [['']],
    )
    .slice(1)
    .flat();
  const matching = (text: string) => {
    const source = text.split('.').map((one, index, all) => {
      if (one === '*') return index === all.length - 1 ? '[a-c](\\.[a-c])*' : '[a-c]';
      return one === '{x}' ? '[a-c]' : one;
    });
    const expression = new RegExp(`^${source.join('\\.')}$`);
    return new Set(names.filter((name) => expression.test(name)));
  };
  const setOf = (text: string) =>
    text.includes('{') || !text.includes('*')
      ? { segments: compileEventName(text).segments, open: false }
      : namesOfPattern(text);

  it('overlap and cover as lists of all names do', () => {
    fc.assert(
      fc.property(fc.oneof(pattern, template), fc.oneof(pattern, template), (one, other) => {
        const left = matching(one);
        const right = matching(other);
        expect(overlap(setOf(one), setOf(other))).toBe([...left].some((name) => right.has(name)));
        expect(covers(setOf(one), setOf(other))).toBe([...right].every((name) => left.has(name)));
      }),
      { seed: 21, numRuns: 1_000 },
    );
  });
});

describe('defineEvents', () => {
  class Flagged {
    id!: string;
  }
  const events = defineEvents({
    'order.flagged': { description: 'Flagged', schema: Flagged },
    'stock.{sku}.low': { description: 'Few left', data: dataType<{ left: number }>() },
    'order.seen': { description: 'Seen' },
  });

  it('keeps the type of each event', () => {
    type Events = typeof events extends EventDefinitions<infer Data> ? Data : never;
    const flagged: Events['order.flagged'] = { id: 'x' };
    const low: Events['stock.{sku}.low'] = { left: 5 };
    // @ts-expect-error wrong type of a property
    const wrong: Events['order.flagged'] = { id: 5 };
    // @ts-expect-error no such event
    type Unknown = Events['order.lost'];

    expect([flagged, low, wrong]).toHaveLength(3);
    expect<Unknown>(undefined).toBeUndefined();
  });

  it('is what the catalogue takes', () => {
    const catalogue = new EventCatalogue({ events: [events] });

    expect(catalogue.names()).toEqual(['order.flagged', 'stock.{sku}.low', 'order.seen']);
    expect(catalogue.get('order.flagged')).toMatchObject({
      description: 'Flagged',
      schema: Flagged,
    });
    expect(catalogue.has('stock.abc.low')).toBe(true);
  });

  it.each([
    [{ 'order.*': { description: 'x' } }, 'order.* is not an event name'],
    [{ 'a.b': {} }, 'a.b needs a description'],
    [{ 'a.b': { description: ' ' } }, 'a.b needs a description'],
    [{ 'a.b': { description: 'x', schema: 'y' } }, 'a.b has a schema'],
    [{ 'a.b': null }, 'a.b must have an object'],
  ])('refuses %j', (definitions, message) => {
    expect(() => defineEvents(definitions as never)).toThrow(ThornConfigurationError);
    expect(() => defineEvents(definitions as never)).toThrow(message);
  });
});
