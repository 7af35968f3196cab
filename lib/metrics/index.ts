/**
 * Metrics for Prometheus.
 *
 * @module nestjs-thorn/prometheus
 */
// Before the imports that need the packages.
import './required-packages.js';
export type { ThornMetricsOptions } from './metrics-options.js';
export { type MetricsSources, ThornMetrics } from './thorn-metrics.js';
export { ThornMetricsModule } from './thorn-metrics.module.js';
export { ThornConfigurationError, ThornError } from '../errors/index.js';
