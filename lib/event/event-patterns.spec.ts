import { describe, expect, it } from 'vitest';
import { nearestNames } from './event-patterns.js';

const NAMES = [
  'article.created',
  'article.{id}.tagged',
  'order.paid',
  'order.placed',
  'user.banned',
];

describe('the nearest names', () => {
  it.each([
    ['order.payed', ['order.paid', 'order.placed']],
    ['Order.*', ['order.paid', 'order.placed']],
    ['articel.*.tagged', ['article.{id}.tagged', 'article.created']],
    ['articles', ['article.created']],
    ['warehouse.shelf.emptied', []],
  ])('of %s are %o', (pattern, nearest) => {
    expect(nearestNames(pattern, NAMES)).toEqual(nearest);
  });

  it('are three at most', () => {
    const names = ['order.paid', 'order.placed', 'order.packed', 'order.sent'];

    expect(nearestNames('ordr.*', names)).toEqual(names.slice(0, 3));
  });
});
