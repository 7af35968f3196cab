import { describe, expect, it } from 'vitest';
import { areSteady } from './steady-conditions.js';

describe('areSteady', () => {
  it.each([
    'id = 1',
    '(a = :a AND (b = 1 OR c = 2)) OR NOT (d = 3)',
    'x NOT IN (:...ids) AND x BETWEEN (1) AND (2)',
    `a = 'it''s NOW()' AND "t"."rand(" = 1 AND \`fn(\` = 2`,
    'expires::date < :now',
  ])('says that %s matches the same rows each time', (condition) => {
    expect(areSteady([{ condition }])).toBe(true);
  });

  it.each([
    'RAND() < 0.5',
    'random () % 2 = 0',
    '"random"() < 0.5',
    'expires < CURRENT_TIMESTAMP',
    'day = utc_date',
    'id IN (SELECT id FROM other)',
    'n = (@n := @n + 1)',
    `a = 'x\\' AND b < NOW() OR c = '`,
    'x < now/* */()',
  ])('does not say so of %s', (condition) => {
    expect(areSteady([{ condition }])).toBe(false);
  });

  it('looks into conditions of conditions', () => {
    const inner = { operator: 'and', parameters: ['a > :p', 'a < NOW()'] };
    const equal = { operator: 'equal', parameters: ['a', ':p'] };
    expect(areSteady([{ condition: [{ condition: equal }] }])).toBe(true);
    expect(areSteady([{ condition: [{ condition: { operator: 'not', condition: inner } }] }])).toBe(
      false,
    );
    expect(areSteady([{ condition: { operator: 'equal', parameters: ['a', 'RAND()'] } }])).toBe(
      false,
    );
    expect(areSteady([])).toBe(true);
  });
});
