import type { Registry } from 'prom-client';
import { OptionChecks } from '../common/option-checks.js';

/** Options of `ThornMetricsModule.forRoot()`. */
export interface ThornMetricsOptions {
  /** The registry of the metrics. Default: prom-client's global registry. */
  readonly registry?: Registry;
  /** The prefix of all metric names. Default `thorn_`. */
  readonly prefix?: string;
  /** Most values of the label `event`; what comes after that is counted as `other`. Default 100. */
  readonly maxEvents?: number;
  /** The buckets of the durations, in seconds. Default 5 ms to 30 s. */
  readonly buckets?: readonly number[];
  /**
   * The time in milliseconds for which counts from the database are reused, because counting rows is expensive. Default
   * 10,000.
   */
  readonly statsFor?: number;
}

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const NAMES = ['registry', 'prefix', 'maxEvents', 'buckets', 'statsFor'];

export const METRICS_CHECKS = new OptionChecks('ThornMetricsModule.forRoot()');

/** The options with their defaults. @throws {@link ThornConfigurationError} naming what makes no sense */
export function metricsSettings(options: ThornMetricsOptions) {
  const check = METRICS_CHECKS;
  check.names(options, NAMES);
  const { registry, prefix = 'thorn_', maxEvents = 100, buckets = BUCKETS } = options;
  const { statsFor = 10_000 } = options;
  check.assert(
    'registry',
    registry === undefined ||
      typeof (registry as Partial<Registry> | null)?.registerMetric === 'function',
    'must be a Registry of prom-client',
  );
  check.assert(
    'prefix',
    typeof prefix === 'string' && /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(prefix),
    'must be letters, digits and underscores, and must not begin with a digit',
  );
  check.integer('maxEvents', maxEvents);
  check.assert(
    'buckets',
    Array.isArray(buckets) && buckets.length > 0 && buckets.every(isRising),
    'must be a list of rising numbers of seconds',
  );
  check.integer('statsFor', statsFor, { min: 0, unit: 'milliseconds' });
  return { registry, prefix, maxEvents, buckets, statsFor };
}

function isRising(bucket: unknown, at: number, buckets: readonly unknown[]): boolean {
  return Number.isFinite(bucket) && Number(bucket) > Number(at === 0 ? 0 : buckets[at - 1]);
}
