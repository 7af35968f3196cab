import 'reflect-metadata';
import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { describeThornApi } from 'nestjs-thorn';
import { thornOpenApiWebhooks } from 'nestjs-thorn/openapi';
import { BlogModule } from './blog.module.js';
import { endWithParent, tellParent } from './play/child.js';

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
await app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');

endWithParent(() => app.close());
tellParent({ ready: await app.getUrl() });
