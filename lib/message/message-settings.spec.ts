import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../errors/index.js';
import { checkRetrySettings } from './message-settings.js';

describe('checkRetrySettings', () => {
  it.each([[false], [{}], [{ max: 0 }], [{ max: 100, delay: 0 }], [{ delay: 2_592_000_000 }]])(
    'accepts %j',
    (settings) => {
      expect(() => checkRetrySettings(settings)).not.toThrow();
    },
  );

  it.each([
    ['retry', true],
    ['retry', null],
    ['retry', 3],
    ['retry', [1]],
    ['retry.max', { max: -1 }],
    ['retry.max', { max: 101 }],
    ['retry.max', { max: '3' }],
    ['retry.max', { max: Number.NaN }],
    ['retry.delay', { delay: 0.5 }],
    ['retry.delay', { delay: 2_592_000_001 }],
    ['retry.delay', { delay: '60s' }],
    ['retry.retryMax', { retryMax: 3 }],
  ])('names %s when given %j', (field, settings) => {
    expect(() => checkRetrySettings(settings)).toThrow(
      expect.toSatisfy((error) => error instanceof InvalidInputError && error.field === field),
    );
  });
});
