import 'reflect-metadata';
import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { endWithParent, tellParent } from '../blog/play/child.js';
import { BlogModule } from './blog.module.js';

const app = await NestFactory.create(BlogModule, { logger: ['error', 'warn'] });
app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true }));
app.enableShutdownHooks();
await app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');

endWithParent(() => app.close());
tellParent({ ready: await app.getUrl() });
