import 'reflect-metadata';
import { writeSync } from 'node:fs';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSourceOptions } from 'typeorm';
import { bullmq } from '../../../lib/bullmq/index.js';
import { outbox, type OutboxOptions, ThornModule, WebhookDispatcher } from '../../../lib/index.js';
import { LOOPBACK_RECIPIENTS } from '../../../lib/testing/index.js';

/** What an application that is shut down is told. */
export interface ShutdownTask {
  readonly options: DataSourceOptions;
  readonly url: string;
  readonly outbox: OutboxOptions;
  /** The port of Redis; null: no queue. */
  readonly redis: number | null;
}

const task = JSON.parse(process.argv[2]!) as ShutdownTask;

@Module({
  imports: [
    TypeOrmModule.forRoot({
      ...{ ...task.options, autoLoadEntities: true, synchronize: true },
    }),
    ThornModule.forRoot({
      recipients: LOOPBACK_RECIPIENTS,
      subscribers: { '*': task.url },
      dispatch:
        task.redis === null
          ? outbox(task.outbox)
          : bullmq({ ...task.outbox, connection: { host: '127.0.0.1', port: task.redis } }),
    }),
  ],
})
class AppModule {}

const print = (message: unknown) => void writeSync(1, `${String(message)}\n`);
const app = await NestFactory.createApplicationContext(AppModule, {
  logger: { log: () => undefined, warn: print, error: print },
});
app.enableShutdownHooks();
const dispatcher = app.get(WebhookDispatcher);
const sending = setInterval(
  () => void dispatcher.send('order.placed', {}).catch(() => undefined),
  50,
);
process.once('SIGTERM', () => clearInterval(sending));
print('ready');
