import { requirePackages } from '../errors/require-packages.js';

requirePackages('nestjs-thorn/typeorm', {
  typeorm: () => require('typeorm'),
});
