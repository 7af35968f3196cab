import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ThornModule } from 'nestjs-thorn';
import { bullmq } from 'nestjs-thorn/bullmq';
import { Article } from '../blog/articles/article.entity.js';
import { ArticlesController } from '../blog/articles/articles.controller.js';
import { Articles } from '../blog/articles/articles.service.js';
import { Recommendations } from '../blog/articles/recommendations.service.js';
import { Tag } from '../blog/articles/tag.entity.js';
import { BearerGuard } from '../blog/users/bearer.guard.js';
import { DemoUsers } from '../blog/users/demo-users.js';
import { User } from '../blog/users/user.entity.js';

const IS_WORKER = process.env['ROLE'] === 'worker';

/** The blog of the sample beside this one, on PostgreSQL and Redis. The API and the workers differ in one option. */
@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env['DATABASE_URL'] ?? 'postgres://localhost:5432/blog',
      autoLoadEntities: true,
      synchronize: !IS_WORKER, // a real application runs migrations
      uuidExtension: 'pgcrypto',
      installExtensions: false, // PostgreSQL makes UUIDs without
    }),
    TypeOrmModule.forFeature([Article, Tag, User]),
    BullModule.forRoot({
      connection: { url: process.env['REDIS_URL'] ?? 'redis://localhost:6379' },
    }),
    ThornModule.forRoot({
      baseUrl: 'https://blog.example.com',
      // The API sends, workers deliver. What was held by a worker that was killed is taken by another one after five
      // seconds, so that the demo need not wait for a minute: a real application leaves `lease` out.
      dispatch: bullmq({ worker: IS_WORKER, lease: 5000 }),
      api: { guards: [BearerGuard], owner: (request) => request.user.id },
      // The consumer of this sample listens on this machine. Without it webhooks go to public addresses alone.
      recipients: { allowCidrs: ['127.0.0.1/32'], allowedPorts: 'any' },
    }),
  ],
  controllers: IS_WORKER ? [] : [ArticlesController],
  providers: IS_WORKER ? [] : [Articles, DemoUsers, Recommendations],
})
export class BlogModule {}
