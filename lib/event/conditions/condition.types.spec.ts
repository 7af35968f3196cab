import { describe, expect, it } from 'vitest';
import { compileCondition } from './condition-compile.js';
import type { Condition } from './condition.js';

type State = 'DRAFT' | 'PUBLISHED';
enum Mood {
  Calm = 'calm',
  Angry = 'angry',
}
enum Level {
  Low,
  High,
}
declare class Decimal {
  toFixed(places?: number): string;
  toString(): string;
  plus(other: Decimal): Decimal;
}

class Account {
  isStaff!: boolean;
  author!: Author;
}

class Author {
  id!: number;
  name!: string;
  account!: Account;
  articles!: Article[];
}

class Article {
  id!: number;
  title!: string;
  subtitle!: string | null;
  note?: string;
  state!: State;
  mood!: Mood;
  level!: Level | null;
  price!: Decimal;
  views!: bigint;
  hidden!: boolean;
  createdAt!: Date;
  removedAt!: Date | null;
  words!: string[];
  labels!: Set<string>;
  scores!: Map<string, number>;
  file!: Buffer;
  settings!: Record<string, unknown>;
  author!: Author;
  editor!: Author | null;
  reviewer!: Promise<Author>;
  reviewers!: Promise<Author[]>;
  tags!: Tag[];
  anything!: unknown;
  publish(): void {}
}

class Tag {
  name!: string;
  article!: Article;
}

const right: Condition<Article>[] = [
  { title: 'x' },
  { title: { eq: 'x', ne: 'y', gt: 'a', gte: 'a', lt: 'z', lte: 'z', is: 'x', isNot: null } },
  { title: { in: ['a'], notIn: new Set(['b']), contains: 'x', startsWith: 'x', endsWith: 'x' } },
  { title: { gt: 10, lte: 10n, nowLt: 5 } },
  { title: { truthy: true, nowTruthy: false } },
  { title: { nowEq: 'x', nowNe: 'y', nowGt: 'a', nowGte: 'a', nowLt: 'z', nowLte: 'z' } },
  { title: { nowIs: 'x', nowIsNot: null, nowIn: ['a'], nowNotIn: ['b'], nowContains: 'x' } },
  { title: { nowStartsWith: 'x', nowEndsWith: 'x' } },
  { subtitle: null },
  { subtitle: { eq: null, in: [null, 'x'] } },
  { note: null },
  { note: { startsWith: 'x' } },
  { state: 'DRAFT' },
  { state: { nowIn: ['DRAFT', 'PUBLISHED'] } },
  { mood: Mood.Calm },
  { mood: 'calm' },
  { mood: { in: ['calm', Mood.Angry] } },
  { level: Level.High },
  { level: { gte: Level.Low, is: null } },
  { price: 9.5 },
  { price: { gt: '9.50', lt: 10n, ne: { $decimal: '9.7' } } },
  { views: { gt: 10n, lt: { $decimal: '99' } } },
  { hidden: true },
  { hidden: { in: [true, false] } },
  { createdAt: { gt: new Date(0), lt: { $date: '2026-01-01T00:00:00.000Z' } } },
  { removedAt: { nowIsNot: null } },
  { words: ['a', 'b'] },
  { words: { contains: 'a', nowContains: 'b' } },
  { labels: { contains: 'a', eq: new Set(['a']) } },
  { scores: { contains: 'a', eq: new Map([['a', 1]]) } },
  { file: { eq: Uint8Array.from([0]) } },
  { settings: { contains: 'theme', theme: 'dark' } },
  { author: { name: 'x', account: { isStaff: { truthy: true } } } },
  { author: { account: { author: { account: { isStaff: true } } } } },
  { editor: null },
  { editor: { nowIs: null } },
  { editor: { isNot: null, name: 'x' } },
  { reviewer: { name: { nowEq: 'x' } } },
  { reviewers: { name: 'x' } },
  { tags: { name: 'x', article: { title: 'y' } } },
  { tags: { NOT: { name: 'x' } } },
  { anything: { whatever: [1] } },
  { AND: [{ title: 'x' }], OR: [{ title: 'x' }, { state: 'DRAFT' }], NOT: { title: 'x' } },
  { views: { OR: [{ lt: 5n }, { gt: 10n }], NOT: { eq: 7n } } },
];

const wrong: Condition<Article>[] = [
  // @ts-expect-error no such field
  { titel: 'x' },
  // @ts-expect-error no such operator
  { title: { equals: 'x' } },
  // @ts-expect-error no such transition
  { title: { nowEquals: 'x' } },
  // @ts-expect-error wrong type of a bare value
  { title: 5 },
  // @ts-expect-error wrong type of an operand
  { title: { eq: 5 } },
  // @ts-expect-error wrong type of a transition's operand
  { title: { nowEq: 5 } },
  // @ts-expect-error wrong type within a list
  { title: { in: [5] } },
  // @ts-expect-error no list
  { title: { in: 'x' } },
  // @ts-expect-error never null
  { title: null },
  // @ts-expect-error never null
  { title: { eq: null } },
  // @ts-expect-error not one of the union
  { state: 'GONE' },
  // @ts-expect-error not one of the union
  { state: { nowEq: 'GONE' } },
  // @ts-expect-error not one of the enum
  { mood: 'sad' },
  // @ts-expect-error numbers have no beginning
  { id: { startsWith: '1' } },
  // @ts-expect-error numbers contain nothing
  { id: { contains: 1 } },
  // @ts-expect-error booleans have no order
  { hidden: { gt: false } },
  // @ts-expect-error truthy takes a boolean
  { hidden: { truthy: 'yes' } },
  // @ts-expect-error a number is no bigint
  { views: { gt: 10 } },
  // @ts-expect-error a text is no date
  { createdAt: { gt: '2026-01-01' } },
  // @ts-expect-error dates have no identity
  { createdAt: { is: new Date(0) } },
  // @ts-expect-error wrong type of an element
  { words: { contains: 5 } },
  // @ts-expect-error wrong type of an element
  { labels: { contains: 5 } },
  // @ts-expect-error no such nested field
  { author: { nmae: 'x' } },
  // @ts-expect-error wrong type of a nested field
  { author: { account: { isStaff: 'yes' } } },
  // @ts-expect-error a relation is compared by its fields
  { author: { eq: 5 } },
  // @ts-expect-error a relation is compared by its fields
  { author: 5 },
  // @ts-expect-error a relation is compared by its fields
  { author: { gt: 5 } },
  // @ts-expect-error wrong type within a lazy relation
  { reviewer: { name: 5 } },
  // @ts-expect-error no such field of a to-many relation
  { tags: { titel: 'x' } },
  // @ts-expect-error methods are no fields
  { publish: { truthy: true } },
  // @ts-expect-error not a list
  { AND: { title: 'x' } },
  // @ts-expect-error wrong field within a combinator
  { OR: [{ titel: 'x' }] },
  // @ts-expect-error wrong type within a combinator
  { NOT: { title: 5 } },
  // @ts-expect-error wrong operand within a field's combinator
  { views: { OR: [{ lt: 5 }] } },
];

describe('Condition', () => {
  it('compiles for every condition that its type allows', () => {
    for (const condition of right) expect(() => compileCondition<Article>(condition)).not.toThrow();
    expect(wrong).toHaveLength(34);
  });

  it('is checked where a condition is compiled', () => {
    compileCondition<Article>({ author: { name: { nowEq: 'x' } } });
    // @ts-expect-error no such field
    compileCondition<Article>({ author: { nmae: 'x' } });
  });
});
