import { expect, it } from 'vitest';
import { MovableClock } from '../../testing/index.js';
import { Codecs } from '../codecs.js';
import { MessageFactory } from '../message.factory.js';
import type { Recipient } from '../recipient.js';
import { BodyShapes } from './body-shapes.js';

const recipient = (shape: Partial<Recipient>): Recipient => ({
  ...{ id: 'sub_1', url: 'https://example.com/', contentType: 'application/json' },
  ...{ digest: 'sha256', secrets: [], ...shape },
});
const message = (length: number) =>
  new MessageFactory(new MovableClock(0), new Codecs()).create({
    ...{ event: 'order.paid', data: { title: 'x'.repeat(length), id: 7 } },
  });
const template = (at: number) => ({ template: `{"text": "${at}: {{data.title}}"}` });

it('makes the bytes of a body once for all recipients of one shape, however many shapes there are', () => {
  const shapes = new BodyShapes({ url: 'https://example.com/hooks' });
  const wanted: Partial<Recipient>[] = [
    ...[{ fields: ['id'] }, { fields: ['id', 'title'] }, { thin: true }],
    { fields: ['id'], contentType: 'application/x-www-form-urlencoded' },
    ...Array.from({ length: 100 }, (_, at) => template(at)),
  ];
  const sent = message(1000);
  const bodies = () => wanted.map((shape) => shapes.bodyOf(sent, recipient(shape)));
  const first = bodies();

  expect(new Set(first.map(String)).size).toBe(wanted.length);
  for (const again of [bodies(), bodies()]) {
    for (const [at, body] of again.entries()) expect(body).toBe(first[at]);
  }
});

it('keeps about a MiB of other bodies of one message, and makes the rest anew', () => {
  const shapes = new BodyShapes();
  const sent = message(100_000);
  const bodies = () =>
    Array.from({ length: 30 }, (_, at) => shapes.bodyOf(sent, recipient(template(at))));
  const first = bodies();
  const second = bodies();

  const kept = second.filter((body, at) => body === first[at]);
  expect(kept.length).toBeGreaterThanOrEqual(10);
  expect(kept.length).toBeLessThan(13);
  expect(second.map(String)).toEqual(first.map(String));
});
