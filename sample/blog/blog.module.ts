import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { outbox, ThornModule } from 'nestjs-thorn';
import { McpEventsModule } from 'nestjs-thorn/mcp';
import { thornPage } from 'nestjs-thorn/page';
import { McpController } from './agents/mcp.controller.js';
import { Article } from './articles/article.entity.js';
import { articleEvents } from './articles/article-events.js';
import { ArticlesController } from './articles/articles.controller.js';
import { Articles } from './articles/articles.service.js';
import { Recommendations } from './articles/recommendations.service.js';
import { Tag } from './articles/tag.entity.js';
import { BearerGuard, OperatorGuard } from './users/bearer.guard.js';
import { DemoUsers } from './users/demo-users.js';
import { SignInController } from './users/sign-in.controller.js';
import { User } from './users/user.entity.js';

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'better-sqlite3',
      database: process.env['BLOG_DATABASE'] ?? ':memory:',
      autoLoadEntities: true,
      synchronize: true, // a real application runs migrations
    }),
    TypeOrmModule.forFeature([Article, Tag, User]),
    ThornModule.forRoot({
      baseUrl: 'https://blog.example.com',
      events: articleEvents,
      // What a process holds that was killed is taken by another after five seconds, so that the demo need not wait for
      // a minute. A real application leaves this out.
      dispatch: outbox({ lease: 5000 }),
      // Soon at first, so that the demo need not wait for minutes. A real application leaves this out.
      retries: { schedule: [1000, 1000, 5000, 300_000, 1_800_000, 7_200_000] },
      api: { guards: [BearerGuard], owner: (request) => request.user.id },
      operatorApi: { guards: [OperatorGuard], bodies: true },
      page: thornPage({
        brand: { name: 'Blog' },
        links: [{ label: 'API', url: '/docs' }],
        documents: { openApi: '/docs' },
      }),
      // The consumer of this sample listens on this machine. Without it webhooks go to public addresses alone.
      recipients: { allowCidrs: ['127.0.0.1/32'], allowedPorts: 'any' },
    }),
    McpEventsModule.forRoot(),
  ],
  controllers: [ArticlesController, McpController, SignInController],
  providers: [Articles, DemoUsers, Recommendations],
})
export class BlogModule {}
