import { expect, it } from 'vitest';
import { FAILURE_REASONS } from '../../lib/delivery/index.js';
import { operatorNames } from '../../lib/event/conditions/condition-operators.js';
import { rowsOf } from '../../page/core/filter-rows.js';
import { en } from '../../page/text/en.js';

it.each(operatorNames())('the editor of filters takes %s for no name of a field', (name) => {
  const rows = rowsOf({ title: { [name]: 'text' } })?.rows ?? [];
  expect(rows.filter(({ field }) => field !== 'title')).toEqual([]);
});

it.each(FAILURE_REASONS)('the page has words for the reason %s', (reason) => {
  expect(en.reasons).toHaveProperty(reason);
});
