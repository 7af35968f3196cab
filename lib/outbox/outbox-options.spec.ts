import { describe, expect, it } from 'vitest';
import { DEFAULT_TIMEOUT } from '../delivery/deliverer.js';
import { ThornConfigurationError } from '../errors/index.js';
import { checkOutboxOptions } from './outbox-options.js';

describe('settings of the durable strategy', () => {
  it('are complete when nothing is said', () => {
    expect(checkOutboxOptions({})).toMatchObject({
      window: 1000,
      perHost: 384,
      lease: 10_000,
      worker: true,
      retentionDays: 30,
      payloadDays: 30,
      responseDays: 30,
    });
  });

  it('let a request end by its default timeout while a process is stopped', () => {
    expect(checkOutboxOptions({}).drainTimeout).toBeGreaterThan(DEFAULT_TIMEOUT);
  });

  it.each<[string, object]>([
    ['windw', { windw: 10 }],
    ['constructor', { constructor: 10 }],
    ['expunge.bodyDays', { expunge: { bodyDays: 1 } }],
    ['endpoints.jiter', { endpoints: { jiter: 0 } }],
    ['endpoints.toString', { endpoints: { toString: 1 } }],
  ])('rejects %s, which is not an option', (name, options) => {
    expect(() => checkOutboxOptions(options)).toThrow(ThornConfigurationError);
    expect(() => checkOutboxOptions(options)).toThrow(name);
    expect(() => checkOutboxOptions(options)).toThrow('Valid options: ');
  });

  it.each<[string, object]>([
    ['window', { window: 0 }],
    ['perHost', { perHost: 1.5 }],
    ['lease', { lease: 999 }],
    ['pollInterval', { pollInterval: '5' }],
    ['pollInterval', { pollInterval: 2 ** 31 }],
    ['drainTimeout', { drainTimeout: 2 ** 31 }],
    ['queryTimeout', { queryTimeout: 2 ** 31 }],
    ['worker', { worker: 'yes' }],
    ['retentionDays', { retentionDays: -1 }],
    ['retentionDays', { retentionDays: Number.NaN }],
    ['expunge', { expunge: 5 }],
    ['expunge.payloadDays', { expunge: { payloadDays: 0 } }],
    ['history', { history: 'yes' }],
    ['history.lag', { history: { lag: 0 } }],
  ])('refuse a value of %s that makes no sense', (name, options) => {
    expect(() => checkOutboxOptions(options)).toThrow(`\`${name}\` of outbox() must be`);
  });

  it.each<[string, object]>([
    ['retentionDays', { retentionDays: Infinity }],
    ['retentionDays', { retentionDays: Number.MAX_VALUE }],
    ['expunge.payloadDays', { expunge: { payloadDays: Infinity } }],
    ['expunge.responseDays', { expunge: { responseDays: Infinity } }],
  ])('say how to keep everything when %s is too long', (name, options) => {
    expect(() => checkOutboxOptions(options)).toThrow(`\`${name}\` of outbox() must be`);
    expect(() => checkOutboxOptions(options)).toThrow('at most 36500 days, a hundred years');
    expect(checkOutboxOptions({ retentionDays: 36_500 })).toMatchObject({ retentionDays: 36_500 });
  });
});
