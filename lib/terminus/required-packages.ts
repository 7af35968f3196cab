import { requirePackages } from '../errors/require-packages.js';

requirePackages('nestjs-thorn/terminus', {
  '@nestjs/terminus': () => require('@nestjs/terminus'),
});
