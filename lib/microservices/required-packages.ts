import { requirePackages } from '../errors/require-packages.js';

requirePackages('nestjs-thorn/microservices', {
  '@nestjs/microservices': () => require('@nestjs/microservices'),
});
