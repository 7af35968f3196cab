import { requirePackages } from '../errors/require-packages.js';

requirePackages('nestjs-thorn/bullmq', {
  bullmq: () => require('bullmq'),
});
