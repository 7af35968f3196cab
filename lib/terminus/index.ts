/**
 * A health indicator for Terminus.
 *
 * @module nestjs-thorn/terminus
 */
// Before the imports that need the packages.
import './required-packages.js';
export { type ThornHealthOptions, ThornHealthIndicator } from './thorn.health-indicator.js';
export { ThornConfigurationError, ThornError } from '../errors/index.js';
