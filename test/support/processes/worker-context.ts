import 'reflect-metadata';
import { writeSync } from 'node:fs';
import { setTimeout as passes } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ThornModule } from '../../../lib/index.js';

/** A worker as docs/scaling.md has it. */
@Module({
  imports: [
    TypeOrmModule.forRoot({
      ...{ type: 'better-sqlite3', database: ':memory:' },
      ...{ autoLoadEntities: true, synchronize: true },
    }),
    ThornModule.forRoot({
      encryption: { keys: [{ id: '1', key: Buffer.alloc(32, 7).toString('base64') }] },
    }),
  ],
})
class AppModule {}

const print = (message: unknown) => void writeSync(1, `${String(message)}\n`);
const worker = await NestFactory.createApplicationContext(AppModule, {
  logger: { log: () => undefined, warn: print, error: () => undefined },
});
worker.enableShutdownHooks();
// The self-check looks for the hooks within a second.
await passes(1500);
print('checked');
