/**
 * Delivery through a message broker.
 *
 * @module nestjs-thorn/microservices
 */
// Before the imports that need the packages.
import './required-packages.js';
export { microservices } from './microservices.js';
export type { MicroserviceClient, MicroservicesOptions } from './microservices-options.js';
