import 'reflect-metadata';
import { createRequire } from 'node:module';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { Started, StartTask } from './start.js';

const { database, entry, synchronize } = JSON.parse(process.argv[2]!) as StartTask;
const thorn =
  entry === null
    ? null
    : (createRequire(import.meta.url)(entry) as typeof import('../../lib/index.js'));

@Entity()
class Article {
  @PrimaryGeneratedColumn() id!: number;
  @Column() title!: string;
}
thorn?.WebhookEvent<Article>('article.created', {
  on: 'create',
  payload: ({ id, title }) => ({ id, title }),
})(Article);

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'better-sqlite3',
      database,
      entities: [Article],
      autoLoadEntities: true,
      synchronize,
    }),
    ...(thorn === null ? [] : [thorn.ThornModule.forRoot()]),
  ],
})
class ApplicationModule {}

const app = await NestFactory.create(ApplicationModule, { logger: false });
await app.listen(0, '127.0.0.1');
// Since the process began.
const milliseconds = performance.now();
const megabytes = process.memoryUsage().rss / 1e6;
await app.close();
process.send!({ milliseconds, megabytes } satisfies Started);
process.disconnect();
