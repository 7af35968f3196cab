export { microservices } from './microservices.js';
export type { MicroserviceClient, MicroservicesOptions } from './microservices-options.js';
