import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { WebhookEvents } from 'nestjs-thorn';
import { endWithParent, tellParent } from '../blog/play/child.js';

process.env['ROLE'] = 'worker';
const { BlogModule } = await import('./blog.module.js');

const app = await NestFactory.createApplicationContext(BlogModule, { logger: ['error', 'warn'] });
app.enableShutdownHooks(); // deliveries under way are finished first
app.get(WebhookEvents).on('succeeded', ({ event }) => {
  console.log(`  · worker ${process.pid} delivered ${event}`);
});

endWithParent(() => app.close());
tellParent({ ready: `worker ${process.pid}` });
