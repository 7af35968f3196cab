import { requirePackages } from '../errors/require-packages.js';

requirePackages('nestjs-thorn/opentelemetry', {
  '@opentelemetry/api': () => require('@opentelemetry/api'),
});
