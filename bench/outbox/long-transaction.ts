import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import {
  defineEvents,
  outbox,
  Subscribers,
  ThornModule,
  WebhookDispatcher,
} from '../../lib/index.js';
import { median, reportValue } from '../harness.js';
import type { Ground } from './ground.js';

const MESSAGES = 50_000;
const ROUNDS = 5;

/** The longest time for which a transaction of many messages, sent one after the other, blocks the event loop. */
export async function longTransaction({ services, endpoints }: Ground): Promise<void> {
  const [url] = endpoints.fast(1);
  const databases = [
    ['', services.sqlite()],
    ['-postgres', await services.postgres()],
  ] as const;
  for (const [suffix, options] of databases) {
    const blocks: number[] = [];
    const app = await application(options, url!);
    const dispatcher = app.get(WebhookDispatcher);
    // The first one is not counted: it warms up.
    for (let round = 0; round <= ROUNDS; round++) {
      const longest = watch();
      await app.get(DataSource).transaction(async (manager) => {
        for (let n = 0; n < MESSAGES; n++)
          await dispatcher.send('order.placed', { n }, { manager });
      });
      await new Promise((resolve) => setTimeout(resolve, 1000));
      if (round > 0) blocks.push(longest());
      else longest();
    }
    await app.close();
    reportValue(`outbox.longest-block${suffix}`, median(blocks), 'ms', 200);
  }
}

/** Measures turns of the event loop. @returns ends that, and answers the longest one in milliseconds */
function watch(): () => number {
  let [longest, last] = [0, performance.now()];
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  return () => {
    clearInterval(timer);
    return longest;
  };
}

async function application(options: DataSourceOptions, url: string) {
  @Module({
    imports: [
      TypeOrmModule.forRoot({ ...options, autoLoadEntities: true, synchronize: true }),
      ThornModule.forRoot({
        dispatch: outbox({ drainTimeout: 1000 }),
        recipients: { allowedPorts: 'any', allowCidrs: ['127.0.0.0/8'] },
        events: defineEvents({ 'order.placed': { description: 'An order was placed' } }),
      }),
    ],
  })
  class Application {}
  const app = await NestFactory.createApplicationContext(Application, {
    ...{ logger: false, abortOnError: false },
  });
  await app.get(Subscribers).create({ url, events: ['order.*'] });
  return app;
}
