import { Injectable } from '@nestjs/common';
import { BoundedCache } from '../../common/collections.js';
import { Clock } from '../../common/index.js';
import {
  checkSelection,
  Deliveries,
  type ReplayOptions,
  type ReplaySummary,
  type RetryResult,
} from '../../outbox/index.js';
import type { OwnerScope } from '../../subscriber/index.js';

const MINUTE = 60_000;
/** Deliveries in memory. Beyond it, the oldest is dropped. */
const MOST_REMEMBERED = 50_000;

/** The result of a retry by the REST API. `resent`: it was resent within the last minute. */
export type RequestedRetry = RetryResult | 'resent';

/**
 * Retries deliveries for callers of the REST API: each delivery once in a minute, by each process. Otherwise a caller could make
 * any number of requests at an endpoint.
 */
@Injectable()
export class RecentRetries {
  readonly #times = new BoundedCache<string, number>(MOST_REMEMBERED);

  constructor(
    private readonly deliveries: Deliveries,
    private readonly clock: Clock,
  ) {}

  /** As `Deliveries.retry()`. */
  async retry(id: string, scope: OwnerScope): Promise<RequestedRetry | null> {
    const now = this.clock.now();
    if (this.#isRecent(id, now)) {
      // Of a delivery of another owner, the caller learns nothing.
      return (await this.deliveries.findById(id, scope)) === null ? null : 'resent';
    }
    // Noted before anything is awaited, so that of two requests at once one resends.
    this.#times.set(id, now);
    const result = await this.#retry(id, scope);
    if (result !== 'scheduled') this.#times.delete(id);
    return result;
  }

  /**
   * As `Deliveries.retrySelected()`.
   *
   * @throws `InvalidInputError` whose `field` is `ids`
   */
  async retrySelected(
    ids: readonly string[],
    scope: OwnerScope,
  ): Promise<readonly { readonly id: string; readonly result: RequestedRetry | null }[]> {
    checkSelection(ids);
    const results: { id: string; result: RequestedRetry | null }[] = [];
    for (const id of ids) results.push({ id, result: await this.retry(id, scope) });
    return results;
  }

  /** As `Deliveries.retryFailed()`. */
  retryFailed(options: ReplayOptions, scope: OwnerScope): Promise<ReplaySummary | null> {
    const now = this.clock.now();
    const resent = {
      has: (id: string) => this.#isRecent(id, now),
      add: (ids: readonly string[]) => ids.forEach((id) => this.#times.set(id, now)),
    };
    return this.deliveries.retryFailedExcept(resent, options, scope);
  }

  #isRecent(id: string, now: number): boolean {
    const before = this.#times.get(id);
    return before !== undefined && now - before < MINUTE;
  }

  async #retry(id: string, scope: OwnerScope): Promise<RetryResult | null> {
    try {
      return await this.deliveries.retry(id, scope);
    } catch (error) {
      this.#times.delete(id);
      throw error;
    }
  }
}
