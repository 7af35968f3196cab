import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { errorText } from '../common/index.js';
import { DispatchStrategy } from '../dispatch/index.js';
import { ThornConfigurationError } from '../errors/index.js';
import { Deliveries, OutboxStrategy } from '../outbox/index.js';

/** Thresholds of healthy webhooks. */
export interface ThornHealthOptions {
  /** The longest time for which the oldest delivery may have been due, in milliseconds. Default 60,000. */
  readonly maxLag?: number;
}

/**
 * Tells whether webhooks are sent. It is `down` when the oldest due delivery has waited for longer than `maxLag`, when
 * the database does not answer, or when the strategy has a queue that cannot be reached. Without `outbox()` nothing
 * waits, and it is always `up`.
 *
 * @example
 * ```ts
 * @Module({ imports: [TerminusModule], providers: [ThornHealthIndicator], controllers: [HealthController] })
 * export class HealthModule {}
 *
 * @Get('health')
 * @HealthCheck()
 * check() {
 *   return this.health.check([() => this.webhooks.isHealthy('webhooks', { maxLag: 30_000 })]);
 * }
 * ```
 */
@Injectable()
export class ThornHealthIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly strategy: DispatchStrategy,
    private readonly deliveries: Deliveries,
  ) {}

  /**
   * @param key the name of the check in the answer
   * @throws {@link ThornConfigurationError} when `maxLag` is not a number of milliseconds
   */
  async isHealthy<const Key extends string>(
    key: Key,
    { maxLag = 60_000 }: ThornHealthOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    if (!(maxLag >= 0)) {
      throw new ThornConfigurationError(
        'THORN_OPTION_INVALID',
        'maxLag must be a number of milliseconds, 0 or more.',
        { maxLag },
      );
    }
    const indicator = this.indicators.check(key);
    if (!(this.strategy instanceof OutboxStrategy)) return indicator.up();
    try {
      const [{ lag, oldestDue, due, dueMessages }] = await Promise.all([
        this.deliveries.stats(),
        this.strategy.checkRelay(),
      ]);
      const data = {
        lag,
        oldestDue: oldestDue === null ? null : new Date(oldestDue).toISOString(),
        due: due + dueMessages,
      };
      if (lag <= maxLag) return indicator.up(data);
      return indicator.down({ ...data, message: `due for ${lag} ms, ${maxLag} ms at most` });
    } catch (error) {
      return indicator.down({ message: errorText(error) });
    }
  }
}
