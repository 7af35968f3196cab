import { describe, expect, it } from 'vitest';
import { SchemaFields } from './schema-fields.js';

const text = { type: 'string' };
const order = {
  type: 'object',
  properties: {
    total: { type: 'number' },
    paid: { type: 'boolean' },
    note: { anyOf: [text, { type: 'null' }] },
    state: { enum: ['OPEN', 'DONE'] },
    tags: { type: 'array', items: text },
    extra: { type: 'object' },
    prices: { type: 'object', additionalProperties: { type: 'number' } },
    customer: {
      allOf: [
        { type: 'object', properties: { country: text } },
        { type: 'object', properties: { age: { type: ['integer', 'null'] } } },
      ],
    },
    items: {
      type: 'array',
      items: { type: 'object', properties: { sku: text } },
    },
  },
};

describe('the fields of a schema', () => {
  const fields = new SchemaFields([order]);

  it.each([
    ['total', 'number'],
    ['note', 'value'],
    ['state', 'value'],
    ['tags', 'value'],
    ['extra', 'open'],
    ['extra.anything.below', 'open'],
    ['prices.eur', 'number'],
    ['customer', 'nested'],
    ['customer.country', 'value'],
    ['customer.age', 'number'],
    ['items', 'nested'],
    ['items.sku', 'value'],
    ['totl', undefined],
    ['customer.cuntry', undefined],
    ['total.greater', undefined],
    ['constructor', undefined],
  ])('has %s of the kind %s', (path, kind) => {
    expect(fields.kindOf(path)).toBe(kind);
  });

  it('has the fields of all schemas', () => {
    const both = new SchemaFields([order, { type: 'object', properties: { sku: text } }]);
    expect([both.kindOf('total'), both.kindOf('sku'), both.kindOf('none')]).toEqual([
      ...['number', 'value', undefined],
    ]);
  });

  it.each([{}, { type: 'object' }, { ...order, additionalProperties: true }, { $ref: 'other' }])(
    'is open for %j',
    (schema) => {
      expect(new SchemaFields([schema]).kindOf('anything')).toBe('open');
    },
  );

  it('names the fields of the data and of what is below', () => {
    expect(fields.namesBelow('')).toEqual(Object.keys(order.properties));
    expect(fields.namesBelow('customer')).toEqual(['country', 'age']);
    expect(fields.namesBelow('items')).toEqual(['sku']);
  });

  it.each([
    ['total', 'gt', 'abc'],
    ['total', 'eq', 'abc'],
    ['total', 'in', [1, 'abc']],
    ['total', 'eq', true],
    ['paid', 'gt', 1],
    ['paid', 'eq', 'true'],
    ['note', 'eq', false],
    ['note', 'gt', new Date(0)],
    ['customer.age', 'lt', 'old'],
  ] as const)('refuses %s %s %j, which can never hold', (path, operator, operand) => {
    expect(fields.operandFault(path, operator, operand)?.text).toMatch(
      /^(can never hold|compares)/,
    );
  });

  it.each([
    ['total', 'gt', 5],
    ['total', 'gt', '9.50'],
    ['total', 'eq', null],
    ['total', 'in', [1, '2', null]],
    ['paid', 'eq', true],
    ['note', 'gt', '2026'],
    ['note', 'gt', 5],
    ['state', 'eq', 5],
    ['tags', 'eq', ['a']],
    ['tags', 'contains', 'a'],
    ['extra.deep', 'eq', 'x'],
  ] as const)('accepts %s %s %j', (path, operator, operand) => {
    expect(fields.operandFault(path, operator, operand)).toBeUndefined();
  });
});
