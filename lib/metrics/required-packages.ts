import { requirePackages } from '../errors/require-packages.js';

requirePackages('nestjs-thorn/prometheus', {
  'prom-client': () => require('prom-client'),
});
