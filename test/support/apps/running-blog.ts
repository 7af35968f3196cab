import type { INestApplication } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { Subscribers, WebhookDispatcher } from '../../../lib/index.js';
import { type blogDatabases, createBlogDatabase, startBlog } from './blog.js';
import { Receiver } from '../receiver.js';

/** A blog that runs for a whole suite, with one subscriber whose receiver is emptied before each test. */
export class RunningBlog {
  app!: INestApplication;
  receiver!: Receiver;

  get dataSource(): DataSource {
    return this.app.get(DataSource);
  }

  get dispatcher(): WebhookDispatcher {
    return this.app.get(WebhookDispatcher);
  }
}

/** Call it in a suite: it brings hooks of its own. */
export function useRunningBlog(
  type: (typeof blogDatabases)[number],
  events: string[],
  ...options: Parameters<typeof startBlog> extends [unknown, ...infer Rest] ? Rest : never
): RunningBlog {
  const blog = new RunningBlog();
  let drop: () => Promise<void> = async () => undefined;

  beforeAll(async () => {
    const database = await createBlogDatabase(type);
    drop = database.drop;
    blog.app = (await startBlog(database.options, ...options)).app;
    blog.receiver = await Receiver.start();
    await blog.app.get(Subscribers).create({ url: blog.receiver.url, events });
  });

  beforeEach(() => {
    blog.receiver.requests.length = 0;
  });

  afterAll(async () => {
    await blog.app?.close();
    await blog.receiver?.stop();
    await drop();
  });

  return blog;
}
