import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../errors/index.js';
import { projection } from './projection.js';
import { fillTemplate, parseTemplate } from './template.js';

const made = (template: string, body: unknown): unknown =>
  JSON.parse(fillTemplate(parseTemplate(template), body));

describe('a template', () => {
  const body = {
    type: 'order.paid',
    data: {
      title: 'A "quoted"\nline \\ \u2028',
      total: 5.5,
      paid: false,
      tags: ['a', 'b'],
      none: null,
    },
  };

  it.each([
    ['{"text": "{{data.title}}"}', { text: body.data.title }],
    ['{"text": "Paid {{ data.total }} €: {{data.paid}}"}', { text: 'Paid 5.5 €: false' }],
    ['{"total": {{data.total}}, "tags": {{data.tags}}}', { total: 5.5, tags: ['a', 'b'] }],
    ['{"text": "{{data.tags}}"}', { text: '["a","b"]' }],
    ['{"a": "<{{data.none}}{{data.missing}}>", "b": {{data.missing}}}', { a: '<>', b: null }],
    ['{"a": {"b": {"c": "{{type}}"}}}', { a: { b: { c: 'order.paid' } } }],
    ['["a } b { c", "\\"{{type}}\\""]', ['a } b { c', '"order.paid"']],
    ['{{data}}', body.data],
    ['{"static": true}', { static: true }],
  ])('%s makes JSON of the values', (template, expected) => {
    expect(made(template, body)).toEqual(expected);
  });

  it('makes JSON of any values, and shows them as they are', () => {
    fc.assert(
      fc.property(fc.json(), fc.string({ unit: 'binary' }), (json, text) => {
        const data = { value: JSON.parse(json) as unknown, text };
        const filled = made('{"value": {{data.value}}, "text": "> {{data.text}} <"}', { data });
        expect(filled).toEqual({
          value: data.value,
          text: JSON.parse(JSON.stringify(`> ${text} <`)),
        });
      }),
      { seed: 5, numRuns: 500 },
    );
  });

  it('gives no values that an object inherits', () => {
    expect(made('{"a": {{data.constructor}}, "b": {{data.__proto__}}}', { data: {} })).toEqual({
      ...{ a: null, b: null },
    });
  });

  it.each([
    ['{"text": "{{data.title}"}', 'has {{ without }}, at character 11'],
    ['{"text": "data.title}}"}', 'has }} without {{, at character 21'],
    ['{"text": "{{}}"}', 'must have a path such as {{data.title}} between {{ and }}'],
    ['{"text": "{{data title}}"}', 'must have a path such as'],
    ['{"text": "{{#if data}}"}', 'must have a path such as'],
    ['{"text": "{{data..title}}"}', 'must have a path such as'],
    ['{"text": "{{title}}"}', 'names title, which no body has; begin with id, type'],
    ['{"text": "{{type.length}}"}', 'names type.length, which no body has'],
    ['{"{{type}}": 1}', 'must not have {{ in the name of a field, at character 2'],
    ['{"a": 1{{data.total}}}', 'must be JSON once each {{path}} has its value'],
    ['{"a": {{data.x}}{{data.y}}}', 'must be JSON once'],
    ['{"a": "{{type}}", }', 'must be JSON once'],
    ['{"a": "line\n{{type}}"}', 'must be JSON once'],
    ['{"a": "\\{{type}}"}', 'has }} without {{'],
    ['{{type}}text', 'must be JSON once'],
    ['', 'must be JSON once'],
    [`[${'{{data.a}},'.repeat(100)}{{data.a}}]`, 'must have at most 100 paths'],
  ])('%s is refused with its place', (template, reason) => {
    expect(() => parseTemplate(template)).toThrow(InvalidInputError);
    expect(() => parseTemplate(template)).toThrow(reason);
  });

  it('stops before it makes a body that fills the memory', () => {
    const read = parseTemplate(`[${'{{data}},'.repeat(99)}{{data}}]`);
    expect(() => fillTemplate(read, { data: 'a'.repeat(100_000) })).toThrow(
      'template makes a body of more than 1048576 characters',
    );
  });
});

describe('a projection', () => {
  const data = {
    id: 1,
    customer: { name: 'Ada', address: { city: 'London', street: 'x' } },
    lines: [{ sku: 'a', n: 1 }, { sku: 'b', n: 2 }, null],
    tags: ['x'],
  };

  it.each([
    [['id'], { id: 1 }],
    [['lines.sku'], { lines: [{ sku: 'a' }, { sku: 'b' }, null] }],
    [
      ['customer.address.city', 'customer.name'],
      { customer: { address: { city: 'London' }, name: 'Ada' } },
    ],
    [['customer.name', 'customer'], { customer: data.customer }],
    [['customer', 'customer.name'], { customer: data.customer }],
    [['tags', 'missing', 'constructor', '__proto__'], { tags: ['x'] }],
  ])('to %j keeps these alone', (paths, expected) => {
    expect(projection(paths)(data)).toEqual(expected);
  });
});
