import { describe, expect, it } from 'vitest';
import { EventCatalogue } from '../event/index.js';
import { patternMatches } from '../subscriber/index.js';
import { OfferedEvent } from './offered-event.js';

const text = { type: 'string' };

function offered(events: Readonly<Record<string, object | undefined>>) {
  const catalogue = new EventCatalogue();
  for (const [name, schema] of Object.entries(events)) {
    catalogue.declare({ name, source: 'Test', ...(schema && { schema: { ...schema } }) });
  }
  return OfferedEvent.allOf(catalogue);
}

describe('the events that MCP Events offers', () => {
  it('are those whose data is an object, or not described', () => {
    const names = offered({
      described: { type: 'object', properties: {} },
      'without-type': { properties: { id: text } },
      either: { anyOf: [{ type: 'object' }, { properties: { id: text } }] },
      list: { type: 'array', items: text },
      'either-list': { oneOf: [{ type: 'object' }, { type: 'array' }] },
      nullable: { type: ['object', 'null'] },
      undescribed: undefined,
    });
    expect([...names.keys()]).toEqual(['described', 'without-type', 'either', 'undescribed']);
  });

  it('take one value or several for each field that holds one, and for the fields of the name', () => {
    const schema = {
      type: 'object',
      properties: {
        state: { enum: ['new', 'paid', null], description: 'Where it stands' },
        total: { type: ['number', 'null'], minimum: 0 },
        nested: { type: 'object' },
        list: { type: 'array', items: text },
        mixed: { enum: ['a', { b: 1 }] },
        AND: text,
        'dotted.name': text,
      },
    };
    const { inputSchema } = offered({ 'org.{slug}.order': schema }).get('org.{slug}.order')!;
    const several = (items: object) => ({ type: 'array', items, minItems: 1, maxItems: 50 });
    const states = { enum: ['new', 'paid'] };
    expect(inputSchema).toEqual({
      type: 'object',
      properties: {
        slug: text,
        state: { description: 'Where it stands', anyOf: [states, several(states)] },
        total: { anyOf: [{ type: 'number' }, several({ type: 'number' })] },
      },
      additionalProperties: false,
    });
  });
});

describe('the arguments of a subscription', () => {
  const schema = {
    type: 'object',
    properties: { state: { enum: ['new', 'paid'] }, count: { type: 'integer' }, name: text },
  };
  const events = offered({
    'order.paid': schema,
    'user.{name}': schema,
    'user.created': schema,
    'user.{name}.{owner.id}': schema,
    'role.{toString}': schema,
  });
  const select = (name: string, args: object) => events.get(name)!.select({ ...args });

  it('become a filter and a pattern', () => {
    expect(select('order.paid', {})).toEqual({ events: ['order.paid'], exclude: [], filter: null });
    expect(select('order.paid', { state: ['new', 'paid'], count: 3 })).toEqual({
      events: ['order.paid'],
      exclude: [],
      filter: { state: { in: ['new', 'paid'] }, count: { eq: 3 } },
    });
    expect(select('user.{name}.{owner.id}', { name: 'a.b', 'owner.id': '7' })).toEqual({
      events: ['user.a_2eb.7'],
      exclude: [],
      filter: null,
    });
  });

  it.each([
    ['user.{name}', {}, ['user.joe'], ['user.created', 'user.joe.7', 'order.paid']],
    ['user.{name}', { name: 'joe' }, ['user.joe'], ['user.jane', 'user.joe.7']],
    ['user.created', {}, ['user.created'], ['user.joe']],
    ['role.{toString}', {}, ['role.admin'], ['role.admin.new']],
    ['user.{name}.{owner.id}', { name: 'x' }, ['user.x.7'], ['user.x', 'user.x.7.8', 'user.y.7']],
  ])('choose messages of %s alone: %j', (name, args, wanted, others) => {
    const { events: patterns, exclude } = select(name, args);
    const isWanted = (sent: string) =>
      patterns.some((one) => patternMatches(one, sent)) &&
      !exclude.some((one) => patternMatches(one, sent));
    expect(wanted.filter(isWanted)).toEqual(wanted);
    expect(others.filter(isWanted)).toEqual([]);
  });

  it.each([
    [{ state: 'old', count: 3 }, ['arguments.state']],
    [{ count: 1.5 }, ['arguments.count']],
    [{ count: '3', unknown: 1 }, ['arguments.count', 'arguments.unknown']],
    [{ state: [] }, ['arguments.state']],
    [{ state: null }, ['arguments.state']],
    [{ name: { eq: 'x' } }, ['arguments.name']],
    [{ name: Array.from({ length: 51 }, (_, at) => `${at}`) }, ['arguments.name']],
    [JSON.parse('{"__proto__":1}') as object, ['arguments.__proto__']],
    [{ toString: 'x' }, ['arguments.toString']],
  ])('are refused by name: %j', (args, fields) => {
    expect(() => select('order.paid', args)).toThrow(
      expect.objectContaining({ kind: 'InvalidParams', data: { fields } }),
    );
  });

  it.each([{ name: '' }, { name: '\ud800' }, { name: ['joe'] }])(
    'are refused where they make no name: %j',
    (args) => {
      expect(() => select('user.{name}.{owner.id}', args)).toThrow(
        expect.objectContaining({ data: { fields: ['arguments.name'] } }),
      );
    },
  );
});
