import type { INestApplication, LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  defineEvents,
  inline,
  Subscribers,
  ThornModule,
  WebhookDispatcher,
} from '../../lib/index.js';
import { freePort } from '../services/free-port.js';
import { loopback } from '../support/apps/blog.js';
import { Receiver } from '../support/receiver.js';

describe('an endpoint that fails from its first delivery on', () => {
  let receiver: Receiver;
  let app: INestApplication;
  let warnings: unknown[];

  beforeEach(async () => {
    receiver = await Receiver.start();
    warnings = [];
    const module = await Test.createTestingModule({
      imports: [
        ThornModule.forRoot({
          events: defineEvents({ 'order.placed': { description: 'An order was placed' } }),
          ...{ dataSources: [], dispatch: inline(), recipients: loopback },
        }),
      ],
    }).compile();
    const silent = () => undefined;
    const warn = (line: unknown) => void warnings.push(line);
    const logger: LoggerService = { log: silent, warn, error: silent };
    app = module.createNestApplication({ logger });
    await app.init();
  });
  afterEach(async () => {
    await app.close();
    await receiver.stop();
  });

  const subscribe = async (url: string) =>
    (await app.get(Subscribers).create({ url, events: ['*'] })).id;
  const send = async (times: number) => {
    for (let n = 0; n < times; n++) await app.get(WebhookDispatcher).send('order.placed', {});
  };
  const lines = () => warnings.map(String);

  it('is logged at its 1st, 10th and 100th failure, with host and reason alone', async () => {
    receiver.status = 404;
    const id = await subscribe(`${receiver.url}/a-path?token=s3cret`);
    const { host } = new URL(receiver.url);
    await send(120);

    expect(lines()).toEqual([
      `The first attempt at ${host} for ${id} failed: it answered 404.`,
      `All 10 attempts at ${host} for ${id} failed: it answered 404.`,
      `All 100 attempts at ${host} for ${id} failed: it answered 404.`,
    ]);
    expect(warnings[0]).toMatchObject({ subscriberId: id, host, reason: 'status' });
  });

  it('is logged for each endpoint by itself', async () => {
    const host = `127.0.0.1:${await freePort()}`;
    const ids = [await subscribe(`http://${host}`), await subscribe(`http://${host}/other`)];
    await send(2);

    // Both are dialled at the same time.
    expect(lines().sort()).toEqual(
      ids
        .map(
          (id) =>
            `The first attempt at ${host} for ${id} failed: The endpoint refused the connection (ECONNREFUSED).`,
        )
        .sort(),
    );
  });

  it('is not logged any more once it has succeeded', async () => {
    receiver.status = 500;
    await subscribe(receiver.url);
    await send(1);
    receiver.status = 200;
    await send(1);
    receiver.status = 500;
    await send(20);

    expect(lines()).toEqual([expect.stringContaining('The first attempt')]);
  });
});
