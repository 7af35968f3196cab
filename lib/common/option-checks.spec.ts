import { describe, expect, it } from 'vitest';
import { ThornConfigurationError } from '../errors/index.js';
import { OptionChecks } from './option-checks.js';

const check = new OptionChecks('outbox()');
const nested = new OptionChecks('', 'http.');

describe('OptionChecks', () => {
  it.each<[message: string, run: () => unknown]>([
    [
      'Unknown option `windw` in outbox(). Valid options: window, lease.',
      () => check.names({ windw: 1 }, ['window', 'lease']),
    ],
    [
      'Unknown option `toString` in outbox(). Valid options: window.',
      () => check.names({ toString: 1 }, ['window']),
    ],
    ['Unknown option `http.foo`. Valid options: tls.', () => nested.names({ foo: 1 }, ['tls'])],
    [
      'Unknown option `http.tls.cert`. Valid options: ca.',
      () => nested.object('tls', { cert: 1 }, ['ca']),
    ],
    [
      '`tls` of outbox() must be an object with any of ca, not a text.',
      () => check.object('tls', 'a secret', ['ca']),
    ],
    ['`a` of outbox() must be an object, not null.', () => check.object('a', null)],
    ['`a` of outbox() must be an object, not a list.', () => check.object('a', [])],
    [
      '`lease` of outbox() must be an integer of at least 1000 (milliseconds), not 999.',
      () => check.integer('lease', 999, { min: 1000, unit: 'milliseconds' }),
    ],
    [
      "`window` of outbox() must be an integer of at least 1, not '5'.",
      () => check.integer('window', '5' as never),
    ],
    [
      '`window` of outbox() must be an integer of at least 1, not null.',
      () => check.integer('window', null as never),
    ],
    [
      '`max` of outbox() must be an integer from 0 to 100, not 1.5.',
      () => check.integer('max', 1.5, { min: 0, max: 100 }),
    ],
    [
      '`limit` of outbox() must be an integer of at least 1, or Infinity, not NaN.',
      () => check.integer('limit', Number.NaN, { orInfinity: true }),
    ],
    [
      '`limit` of outbox() must be an integer of at least 1, not Infinity.',
      () => check.integer('limit', Infinity),
    ],
    [
      '`http.jitter` must be a number from 0 to 1, not 2.',
      () => nested.number('jitter', 2, { max: 1 }),
    ],
    [
      '`days` of outbox() must be a number of days above 0, not 0.',
      () => check.positive('days', 0, 'days'),
    ],
    [
      "`worker` of outbox() must be true or false, not 'yes'.",
      () => check.boolean('worker', 'yes' as never),
    ],
    [
      "`bulk` of outbox() must be 'warn', 'throw' or 'ignore', not a text.",
      () => check.oneOf('bulk', 'x'.repeat(99), ['warn', 'throw', 'ignore']),
    ],
    [
      '`lookup` of outbox() must be a function as dns.lookup is, not a text.',
      () => check.function('lookup', 'dns', 'as dns.lookup is'),
    ],
    [
      '`guards` of outbox() must be a list of classes.',
      () => check.functions('guards', [undefined], 'classes'),
    ],
    [
      '`a.b` of outbox() is for the default client.',
      () => check.within('a').assert('b', false, 'is for the default client'),
    ],
  ])('reports: %s', (message, run) => {
    expect(run).toThrow(ThornConfigurationError);
    expect(run).toThrow(
      expect.toSatisfy((error: Error) => {
        expect(error.message).toBe(message);
        return true;
      }),
    );
  });

  it('names the path of the option for programs', () => {
    expect(nested.error('tls', 'is wrong').data).toEqual({ option: 'http.tls' });
    expect(() => nested.names({ foo: 1 }, [])).toThrow(
      expect.objectContaining({ data: { option: 'http.foo' } }),
    );
  });

  it('returns values that are right, and passes options that are left out', () => {
    expect(check.integer('a', 5)).toBe(5);
    expect(check.integer('a', Infinity, { orInfinity: true })).toBe(Infinity);
    expect(check.number('a', 0)).toBe(0);
    expect(check.positive('a', Infinity, 'days')).toBe(Infinity);
    expect(check.boolean('a', false)).toBe(false);
    expect(check.oneOf<string>('a', 'b', ['a', 'b'])).toBe('b');
    expect(check.integer('a', undefined)).toBeUndefined();
    expect(check.number('a', undefined)).toBeUndefined();
    expect(check.boolean('a', undefined)).toBeUndefined();
    expect(check.oneOf('a', undefined, [])).toBeUndefined();
    check.object('a', undefined, ['b']);
    check.object('a', { b: 1 }, ['b']);
    check.function('a', undefined, '');
    check.functions('a', [OptionChecks], 'classes');
  });
});
