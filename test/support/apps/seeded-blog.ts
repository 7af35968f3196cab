import type { ServerResponse } from 'node:http';
import { ValidationPipe } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { BlogModule } from '../../../sample/blog/blog.module.js';
import { seed } from '../../../sample/blog/play/seed/seed.js';

/** The blog of the sample as `npm run sample` starts it, but for its URLs: the endpoints are nowhere. */
export async function startSeededBlog(
  isCalm = false,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const module = await Test.createTestingModule({ imports: [BlogModule] }).compile();
  const app = module.createNestApplication({ logger: false });
  app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true }));
  // Node would name the machine's time, although a test has set the clock of this process.
  app.use((_request: object, response: ServerResponse, next: () => void) => {
    response.setHeader('Date', new Date().toUTCString());
    next();
  });
  await seed(app.get(DataSource), 'https://{name}.example.com/webhooks', isCalm);
  await app.listen(0, '127.0.0.1');
  return { url: await app.getUrl(), stop: () => app.close() };
}
