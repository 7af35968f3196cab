import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, SystemClock } from '../../common/index.js';
import {
  Deliverer,
  PublicRecipientPolicy,
  UndiciHttpClient,
  WebhookEvents,
} from '../../delivery/index.js';
import { ThornConfigurationError } from '../../errors/index.js';
import { Codecs, MessageFactory, WebhookFormats } from '../../message/index.js';
import { StandardWebhookSigner } from '../../signing/index.js';
import { InMemorySubscriberRepository, StaticSubscriberSet } from '../../subscriber/index.js';
import { subscriber } from '../../../test/support/apps/outbox-app.js';
import { MovableClock } from '../../testing/index.js';
import { FanOut } from '../recipients/fan-out.js';
import { InlineStrategy } from './inline.strategy.js';

const clock = new SystemClock();
const events = new WebhookEvents();
const factory = new MessageFactory(clock, new Codecs());
const contentTypes = ['application/json'];

describe('InlineStrategy', () => {
  let server: Server;
  let client: UndiciHttpClient;
  let open: ServerResponse[] = [];
  let arrived: () => void = () => undefined;

  beforeEach(async () => {
    open = [];
    server = createServer((request, response) => {
      request.resume().on('end', () => {
        if (request.url === '/probe') return response.end();
        open.push(response);
        arrived();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    client = new UndiciHttpClient(
      new PublicRecipientPolicy({ allowCidrs: ['127.0.0.1/32'], allowedPorts: 'any' }),
    );
  });

  afterEach(async () => {
    await client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const strategyWith = (
    window: number,
    subscribers: number,
    ordered = false,
    stored = new InMemorySubscriberRepository(),
    time: Clock = clock,
  ) => {
    const statics = new StaticSubscriberSet({
      checkUrl: () => undefined,
      checkSecret: () => undefined,
      contentTypes,
      formats: new WebhookFormats(),
    });
    const { port } = server.address() as AddressInfo;
    for (let index = 0; index < subscribers; index++) {
      statics.add('*', { url: `http://127.0.0.1:${port}/${index}`, ordered });
    }
    return new InlineStrategy(
      new FanOut(stored, statics, time),
      new Deliverer(client, new StandardWebhookSigner(), time),
      events,
      time,
      { window },
    );
  };
  const openRequests = async (count: number) => {
    while (open.length < count) await new Promise<void>((resolve) => (arrived = resolve));
  };

  it.each([1, 3])('has at most %i deliveries in flight, and makes them all', async (window) => {
    const strategy = strategyWith(window, 4);
    const messages = [factory.create({ event: 'a' }), factory.create({ event: 'b' })];

    const released = strategy.release(messages);
    for (let left = 8; left > 0; left -= Math.min(window, left)) {
      const expected = Math.min(window, left);
      await openRequests(expected);
      await roundTrips(server);
      expect(open).toHaveLength(expected);
      for (const response of open.splice(0)) response.writeHead(204).end();
    }

    const attempts = (await released).flatMap((release) => release.attempts);
    expect(attempts.map(({ outcome }) => outcome)).toEqual(Array(8).fill('succeeded'));
  });

  it('makes the deliveries of a key to an ordered subscriber one after another', async () => {
    const strategy = strategyWith(10, 1, true);
    const sent: { readonly key: unknown; readonly sequence: number }[] = [];
    server.on('request', ({ headers, url }: IncomingMessage) => {
      if (url === '/probe') return;
      sent.push({ key: headers['hook-key'], sequence: Number(headers['hook-sequence']) });
    });
    const keyed = (key: string) => factory.create({ event: 'a', orderBy: { key } });
    const messages = ['x', 'y', 'x', 'x', 'y'].map((key) => keyed(key));
    const released = [strategy.release(messages.slice(0, 3)), strategy.release(messages.slice(3))];
    for (const inFlight of [2, 2, 1]) {
      await openRequests(inFlight);
      await roundTrips(server);
      expect(open).toHaveLength(inFlight);
      for (const response of open.splice(0)) response.writeHead(500).end();
    }
    await Promise.all(released);
    for (const key of ['x', 'y']) {
      const sequences = sent.filter((one) => one.key === key).map(({ sequence }) => sequence);
      expect(sequences).toEqual(
        messages.filter((message) => message.key === key).map(({ sequence }) => sequence),
      );
    }
  });

  it.each([
    ['sends nothing', false],
    ['sends to it, as it was renewed', true],
  ])('%s when the end of a subscriber passes while it waits', async (_, isRenewed) => {
    const [time, stored] = [new MovableClock(), new InMemorySubscriberRepository()];
    const strategy = strategyWith(1, 0, false, stored, time);
    const { port } = server.address() as AddressInfo;
    const expiresAt = new Date(time.now() + 1000);
    const one = await stored.create(subscriber(`http://127.0.0.1:${port}/`, { expiresAt }));
    const told: unknown[] = [];
    const stop = events.on('failed', ({ reason, attempt }) => told.push([reason, attempt]));
    const messages = ['a', 'b'].map((event) => factory.create({ event }));
    const released = strategy.release(messages);
    await openRequests(1);
    const renewed = { expiresAt: new Date(time.now() + 9000), updatedAt: new Date(time.now()) };
    if (isRenewed) await stored.update(one.id, renewed, 'any');
    time.advance(1000);
    open.splice(0)[0]!.writeHead(204).end();
    if (isRenewed) {
      await openRequests(1);
      open.splice(0)[0]!.writeHead(204).end();
    }

    expect((await released).map(({ attempts }) => attempts.length)).toEqual([1, isRenewed ? 1 : 0]);
    expect(told).toEqual(isRenewed ? [] : [['expired', null]]);
    time.advance(9000);
    expect(await strategy.release([factory.create({ event: 'c' })])).toMatchObject([
      { attempts: [] },
    ]);
    stop();
  });

  it.each([0, 1.5, -1, Number.NaN])('refuses a window of %d', (window) => {
    expect(() => strategyWith(window, 0)).toThrow(ThornConfigurationError);
  });
});

/** Exchanges of our own with the server, so that whatever was sent before them has arrived. */
async function roundTrips(server: Server): Promise<void> {
  const { port } = server.address() as AddressInfo;
  for (let turn = 0; turn < 5; turn++) await fetch(`http://127.0.0.1:${port}/probe`);
}
