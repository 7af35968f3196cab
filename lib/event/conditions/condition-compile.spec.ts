import { describe, expect, it } from 'vitest';
import { ThornConfigurationError } from '../../errors/index.js';
import { compileCondition, type ConditionContext } from './condition-compile.js';
import type { FieldKind } from './condition-fields.js';

const holds = (condition: object, now: unknown, before: unknown = null) =>
  compileCondition(condition as never).holds(now, before);

describe('compileCondition', () => {
  it('joins fields and operators by "and"', () => {
    const condition = { state: 'A', views: { gt: 1, lt: 5 } };

    expect(holds(condition, { state: 'A', views: 3 })).toBe(true);
    expect(holds(condition, { state: 'B', views: 3 })).toBe(false);
    expect(holds(condition, { state: 'A', views: 5 })).toBe(false);
  });

  it('joins conditions by AND, OR and NOT, on the row and within a field', () => {
    expect(holds({ OR: [{ a: 1 }, { b: 1 }] }, { a: 0, b: 1 })).toBe(true);
    expect(holds({ AND: [{ a: 1 }, { b: 1 }] }, { a: 0, b: 1 })).toBe(false);
    expect(holds({ NOT: { a: 1 } }, { a: 0 })).toBe(true);
    expect(holds({ a: { OR: [{ lt: 1 }, { gt: 5 }], NOT: { eq: 9 } } }, { a: 6 })).toBe(true);
    expect(holds({ a: { OR: [{ lt: 1 }, { gt: 5 }], NOT: { eq: 9 } } }, { a: 9 })).toBe(false);
  });

  it('mixes transitions with plain operators', () => {
    const condition = {
      author: { active: true },
      OR: [{ state: { nowEq: 'OUT' } }, { title: { nowStartsWith: 'The' } }],
    };
    const author = { active: true };

    expect(holds(condition, { author, state: 'OUT' }, { author, state: 'IN' })).toBe(true);
    expect(holds(condition, { author, state: 'OUT' }, { author, state: 'OUT' })).toBe(false);
    expect(
      holds(
        condition,
        { author, state: 'OUT', title: 'The' },
        { author, state: 'OUT', title: 'A' },
      ),
    ).toBe(true);
    expect(holds(condition, { author: null, state: 'OUT' }, null)).toBe(false);
  });

  it('negates a transition as a whole', () => {
    const condition = { NOT: { state: { nowEq: 'OUT' } } };

    expect(holds(condition, { state: 'OUT' }, { state: 'OUT' })).toBe(true);
    expect(holds(condition, { state: 'OUT' }, { state: 'IN' })).toBe(false);
    expect(holds(condition, { state: 'OUT' }, null)).toBe(false);
  });

  it('names what it reads', () => {
    const compiled = compileCondition({
      state: { nowEq: 'OUT', ne: 'IN' },
      author: { name: { nowNe: 'x' }, account: { isStaff: true } },
      editor: { is: null },
      OR: [{ title: 'x' }, { NOT: { state: 'y' } }],
    });

    expect(compiled.paths).toEqual([
      'state',
      'author.name',
      'author.account.isStaff',
      'editor',
      'title',
    ]);
    expect(compiled.beforePaths).toEqual(['state', 'author.name']);
  });

  it('is not changed by what happens to the condition afterwards', () => {
    const list = ['a'];
    const compiled = compileCondition({ state: { in: list } });
    list.push('b');

    expect(compiled.holds({ state: 'b' }, null)).toBe(false);
  });

  it('compares the texts of a number column by value when told', () => {
    const context = { fieldKind: () => 'number' as const };
    const compiled = compileCondition({ price: { gt: '9.5', ne: '10.0' } }, context);

    expect(compiled.holds({ price: '10.01' }, null)).toBe(true);
    expect(compiled.holds({ price: '10' }, null)).toBe(false);
    expect(compiled.holds({ price: '9.50' }, null)).toBe(false);
    const listed = compileCondition({ price: { in: ['9.5'] } }, context);
    expect(listed.holds({ price: '9.500' }, null)).toBe(true);
  });
});

describe('a condition on a relation', () => {
  it('reads through null as no value', () => {
    expect(holds({ author: { name: null } }, { author: null })).toBe(true);
    expect(holds({ author: { name: 'x' } }, { author: null })).toBe(false);
    expect(holds({ author: { name: { ne: 'x' } } }, {})).toBe(true);
    expect(holds({ author: { isNot: null, name: { ne: 'x' } } }, {})).toBe(false);
    expect(holds({ author: { name: { nowEq: 'x' } } }, { author: { name: 'x' } }, {})).toBe(true);
  });

  it('to many holds for some element, whose fields stand together', () => {
    const tags = [
      { name: 'a', hot: false },
      { name: 'b', hot: true },
    ];

    expect(holds({ tags: { name: 'b', hot: true } }, { tags })).toBe(true);
    expect(holds({ tags: { name: 'a', hot: true } }, { tags })).toBe(false);
    expect(holds({ tags: { AND: [{ name: 'a' }, { hot: true }] } }, { tags })).toBe(true);
    expect(holds({ tags: { name: 'a' } }, { tags: [] })).toBe(false);
    expect(holds({ tags: { name: { ne: 'a' } } }, { tags: [] })).toBe(false);
    expect(holds({ tags: { name: { ne: 'a' } } }, { tags })).toBe(true);
    expect(holds({ tags: { NOT: { name: 'a' } } }, { tags })).toBe(false);
    expect(holds({ tags: { NOT: { name: 'z' } } }, { tags })).toBe(true);
  });

  it('to many makes a transition when no element of before held', () => {
    const condition = { posts: { tags: { name: { nowEq: 'x' } } } };
    const with_ = { posts: [{ tags: [] }, { tags: [{ name: 'y' }, { name: 'x' }] }] };
    const without = { posts: [{ tags: [{ name: 'y' }] }] };

    expect(holds(condition, with_, without)).toBe(true);
    expect(holds(condition, with_, null)).toBe(true);
    expect(holds(condition, with_, with_)).toBe(false);
    expect(holds(condition, without, with_)).toBe(false);
  });

  it('reads what a lazy relation has loaded, and says when it has not', () => {
    const loaded = Object.defineProperty(
      { __author__: { name: 'x' }, __has_author__: true },
      'author',
      {
        get: () => Promise.reject(new Error('never asked')).catch(() => undefined),
      },
    );

    expect(holds({ author: { name: 'x' } }, loaded)).toBe(true);
    expect(holds({ author: { name: 'x' } }, { __author__: { name: 'x' } })).toBe(true);
    expect(() => holds({ author: { name: 'x' } }, { author: Promise.resolve({}) })).toThrow(
      'author was not loaded',
    );
  });

  it('reads own properties alone', () => {
    class Row {
      get state() {
        return 'OUT';
      }
    }

    expect(holds({ state: 'OUT' }, new Row())).toBe(false);
    expect(holds({ toString: { isNot: null } }, {})).toBe(false);
  });
});

const deep = (levels: number) => JSON.parse('{"a":'.repeat(levels) + '1' + '}'.repeat(levels));
const circular: Record<string, unknown> = {};
circular.a = circular;

describe('a wrong condition', () => {
  it.each<[string, unknown, string, string?]>([
    [
      'an unknown transition',
      { a: { nowEquals: 1 } },
      'a.nowEquals is not an operator',
      'a.nowEquals',
    ],
    ['another case', { a: { startswith: 'x' } }, 'did you mean startsWith', 'a.startswith'],
    ['another spelling', { a: { $eq: 'x' } }, 'did you mean eq', 'a.$eq'],
    ['another spelling of a transition', { a: { now_eq: 'x' } }, 'did you mean nowEq', 'a.now_eq'],
    ['an unknown encoding', { a: { $where: 'x' } }, 'a.$where is not an operator', 'a.$where'],
    ['an empty operator object', { a: {} }, 'a is empty', 'a'],
    ['an empty condition', {}, 'is empty', ''],
    ['an empty list', { OR: [] }, 'OR must be a list of at least one', 'OR'],
    ['no list', { a: { AND: { eq: 1 } } }, 'a.AND must be a list', 'a.AND'],
    ['null for a condition', { NOT: null }, 'must be an object', ''],
    ['no object', 'a', 'must be an object', ''],
    ['an own __proto__', JSON.parse('{"__proto__": {"a": 1}}'), '__proto__ is a name', '__proto__'],
    ['constructor', { constructor: { name: 'x' } }, 'constructor is a name', 'constructor'],
    ['a nested prototype', { a: { prototype: 1 } }, 'a.prototype is a name', 'a.prototype'],
    ['a forbidden name in a value', { a: [JSON.parse('{"__proto__": 1}')] }, 'forbidden name', 'a'],
    ['a dotted field', { 'a.b': 1 }, 'write nested fields as nested objects', 'a.b'],
    ['in without a list', { a: { in: 'x' } }, 'a.in must be a list', 'a.in'],
    ['startsWith without a text', { a: { nowStartsWith: 5 } }, 'must be a text'],
    ['truthy without a boolean', { a: { truthy: 'yes' } }, 'must be true or false'],
    ['gt null', { a: { gt: null } }, 'must be a number, bigint, decimal, text or date'],
    ['gt a boolean', { a: { gt: true } }, 'must be a number, bigint, decimal, text or date'],
    ['is a date', { a: { is: new Date(0) } }, 'compare objects and dates with eq'],
    ['undefined', { a: undefined }, 'is undefined; use null'],
    ['an undefined operand', { a: { eq: undefined } }, 'a.eq is undefined'],
    ['NaN', { a: NaN }, 'is NaN'],
    ['Infinity', { a: { in: [Infinity] } }, 'is Infinity'],
    ['a function', { a: () => true }, 'is a function'],
    ['an invalid date', { a: new Date(NaN) }, 'not a valid date'],
    ['an expression', { a: /x/ }, 'an instance of RegExp'],
    ['an instance', { a: { eq: new (class Money {})() } }, 'an instance of Money'],
    ['too deep', deep(40), 'deeper than 32'],
    ['a circle', circular, 'deeper than 32'],
    ['a deep value', { a: { eq: deep(40) } }, 'deeper than 32'],
    ['too many operators', { OR: Array(1001).fill({ a: 1 }) }, 'more than 1000 operators'],
    ['too many values', { a: { in: Array(10_001).fill(1) } }, 'more than 10000 values'],
  ])('fails for %s', (_what, condition, message, path) => {
    const error = failure(condition);

    expect(error).toBeInstanceOf(ThornConfigurationError);
    expect(error.message).toContain(message);
    if (path !== undefined) expect(error.data.path).toBe(path);
  });

  it('names whose condition it is', () => {
    const error = failure({ a: {} }, { owner: "@WebhookEvent('article.published') on Article" });

    expect(error.message).toContain(
      "The condition of @WebhookEvent('article.published') on Article",
    );
  });

  const kinds: Record<string, FieldKind> = {
    state: 'value',
    author: 'nested',
    'author.name': 'value',
    'author.in': 'value',
    extra: 'open',
  };

  it.each([
    [{ stat: 'x' }, 'stat is not a field'],
    [{ author: { nmae: 'x' } }, 'author.nmae is not a field'],
    [{ state: { resembles: 'x' } }, 'state.resembles is not an operator; the operators are eq, ne'],
    [{ state: { equals: 'x' } }, 'state.equals is not an operator; did you mean eq?'],
    [{ state: { startswith: 'x' } }, 'did you mean startsWith'],
    [{ author: 5 }, 'author.eq compares a whole object'],
    [{ author: { NOT: { nope: 1 } } }, 'author.nope is not a field'],
  ])('is found by the kinds of the fields: %j', (condition, message) => {
    expect(failure(condition, { fieldKind: (path) => kinds[path] }).message).toContain(message);
  });

  it('is not found where the row is open', () => {
    const condition = { extra: { nowPlaying: { title: 'x' } }, author: { name: 'x', isNot: null } };

    expect(() => compileCondition(condition, { fieldKind: (path) => kinds[path] })).not.toThrow();
  });
});

function failure(condition: unknown, context?: ConditionContext): ThornConfigurationError {
  try {
    compileCondition(condition as never, context);
  } catch (error) {
    return error as ThornConfigurationError;
  }
  throw new Error('the condition compiled');
}
