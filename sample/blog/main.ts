import 'reflect-metadata';
import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { BlogModule } from './blog.module.js';
import { endWithParent, tellParent } from './play/child.js';

const app = await NestFactory.create(BlogModule, { logger: ['error', 'warn'] });
app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true }));
app.enableShutdownHooks(); // deliveries under way are finished first
const swagger = new DocumentBuilder().setTitle('The blog').addBearerAuth().build();
SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, swagger));
await app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');

endWithParent(() => app.close());
tellParent({ ready: await app.getUrl() });
