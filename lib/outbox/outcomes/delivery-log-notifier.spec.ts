import { afterEach, expect, it, vi } from 'vitest';
import { StandardDeliveryLog } from '../../delivery/index.js';
import type { Outcome } from '../model/outcome.js';
import { DeliveryLogNotifier } from './delivery-log-notifier.js';

const OUTCOME = {
  requests: 1,
  host: 'example.com',
  attempt: { startedAt: 1, outcome: 'delivered' },
  state: { status: 'delivered' },
} as unknown as Outcome;

afterEach(() => {
  vi.restoreAllMocks();
});

it.each([
  ['its class', () => StandardDeliveryLog.prototype],
  ['the log itself', (log: StandardDeliveryLog) => log],
])('tells the standard log of attempts when somebody watches %s', async (_, watched) => {
  const log = new StandardDeliveryLog();
  const written = vi.spyOn(watched(log), 'written');
  const notifier = new DeliveryLogNotifier(log);
  notifier.written([OUTCOME]);
  await notifier.idle();
  expect(written).toHaveBeenCalledWith([
    { number: 1, attempt: OUTCOME.attempt, status: 'delivered', host: 'example.com' },
  ]);
});
