import { requirePackages } from '../errors/require-packages.js';

requirePackages('nestjs-thorn/bullmq', {
  '@nestjs/bullmq': () => require('@nestjs/bullmq'),
  bullmq: () => require('bullmq'),
});
