import 'reflect-metadata';
import { writeSync } from 'node:fs';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSourceOptions } from 'typeorm';
import { outbox, Subscribers, ThornModule } from '../../../lib/index.js';
import { LOOPBACK_RECIPIENTS } from '../../../lib/testing/index.js';

/** What a process that creates a subscriber and kills itself is told. */
export interface NoticesTask {
  readonly options: DataSourceOptions;
  readonly url: string;
  /** `before`: it tells nothing. `within`: it dies while it tells. */
  readonly dies: 'before' | 'within';
}

const task = JSON.parse(process.argv[2]!) as NoticesTask;
const die = () => void process.kill(process.pid, 'SIGKILL');

@Module({
  imports: [
    TypeOrmModule.forRoot({ ...task.options, autoLoadEntities: true, synchronize: false }),
    ThornModule.forRoot({
      recipients: LOOPBACK_RECIPIENTS,
      dispatch: outbox({ worker: task.dies === 'within' }),
      notify: async ({ type }) => {
        writeSync(1, `telling ${type}\n`);
        die();
        await new Promise(() => undefined);
      },
    }),
  ],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const { id } = await app
  .get(Subscribers)
  .create({ url: task.url, events: ['other'], owner: 'ann' }, { by: 'child' });
writeSync(1, `created ${id}\n`);
if (task.dies === 'before') die();
setInterval(() => undefined, 1000);
