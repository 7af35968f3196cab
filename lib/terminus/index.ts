export { type ThornHealthOptions, ThornHealthIndicator } from './thorn.health-indicator.js';
export { ThornConfigurationError, ThornError } from '../errors/index.js';
