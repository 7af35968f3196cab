/**
 * Traces for OpenTelemetry.
 *
 * @module nestjs-thorn/opentelemetry
 */
// Before the imports that need the packages.
import './required-packages.js';
export {
  openTelemetry,
  type OpenTelemetryOptions,
  OpenTelemetryTracing,
} from './open-telemetry-tracing.js';
export { ThornConfigurationError, ThornError } from '../errors/index.js';
