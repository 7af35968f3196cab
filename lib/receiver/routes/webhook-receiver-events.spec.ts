import { Logger } from '@nestjs/common';
import { afterEach, expect, it } from 'vitest';
import { WebhookReceiverEvents } from './webhook-receiver-events.js';

const facts = { receiver: 'store', id: 'msg_1', event: 'order.paid' };

afterEach(() => Logger.overrideLogger(new Logger()));

it('calls every listener once, until it is removed', () => {
  const events = new WebhookReceiverEvents();
  const calls: unknown[] = [];
  const listener = (payload: unknown): unknown => calls.push(payload);
  const stops = [events.on('accepted', listener), events.on('accepted', listener)];
  events.emit('accepted', facts);
  stops[0]!();
  stops[0]!();
  events.emit('accepted', facts);
  events.emit('duplicate', { ...facts, state: 'processed' });

  expect(calls).toEqual([facts, facts, facts]);
});

it('logs errors of listeners, thrown or rejected, and goes on', async () => {
  const lines: string[] = [];
  const write = (...line: unknown[]): unknown => lines.push(line.join(' '));
  Logger.overrideLogger({ log: write, warn: write, error: write });
  const events = new WebhookReceiverEvents();
  const calls: unknown[] = [];
  events.on('accepted', () => {
    throw new Error('thrown');
  });
  const cause = new Error('whsec_c2VjcmV0');
  events.on('accepted', () =>
    Promise.reject(new Error('rejected by https://example.com/?token=s3cret', { cause })),
  );
  events.on('accepted', (payload) => calls.push(payload));
  events.emit('accepted', facts);

  expect(calls).toEqual([facts]);
  await expect.poll(() => lines.length).toBe(2);
  expect(lines[0]).toMatch(/accepted failed: thrown\s+at /);
  expect(lines[1]).toMatch(/accepted failed: rejected by https:\/\/example.com\/\s+at /);
  expect(lines.join()).not.toMatch(/s3cret|c2VjcmV0/);
});
