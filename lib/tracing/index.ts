export {
  openTelemetry,
  type OpenTelemetryOptions,
  OpenTelemetryTracing,
} from './open-telemetry-tracing.js';
export { ThornConfigurationError, ThornError } from '../errors/index.js';
