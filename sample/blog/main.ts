import 'reflect-metadata';
import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { describeThornApi } from 'nestjs-thorn';
import { thornOpenApiWebhooks } from 'nestjs-thorn/openapi';
import { DataSource } from 'typeorm';
import { BlogModule } from './blog.module.js';
import { endWithParent, tellParent } from './play/child.js';
import { seed } from './play/seed/seed.js';

const app = await NestFactory.create(BlogModule, { logger: ['error', 'warn'] });
app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true }));
app.enableShutdownHooks(); // deliveries under way are finished first
const config = new DocumentBuilder()
  .setTitle('The blog')
  .setOpenAPIVersion('3.1.0')
  .addBearerAuth()
  .build();
// The blog's own routes, those of the webhooks, and every event that a subscriber can receive.
SwaggerModule.setup('docs', app, () => {
  const webhooks = thornOpenApiWebhooks(app);
  return describeThornApi(app, SwaggerModule.createDocument(app, { ...config, webhooks }));
});
const { BLOG_SEED } = process.env;
if (BLOG_SEED !== undefined) await seed(app.get(DataSource), BLOG_SEED);
await app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');

endWithParent(() => app.close());
tellParent({ ready: await app.getUrl() });
