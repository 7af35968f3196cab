import type { Queue } from 'bullmq';
import { orTimeout } from '../common/timeout.js';
import { type PermitGrants, type PermitRequests, RateLimiter } from '../outbox/index.js';
import { FallbackRateLimiter } from './fallback-rate-limiter.js';
import { type RedisClient, RedisRateLimiter } from './redis-rate-limiter.js';
import { clientOf } from './redis-settings-check.js';

/** Milliseconds that are waited for the first connection. */
const CONNECTS_WITHIN = 1000;

/** What {@link QueueRateLimiter} works with. */
export interface QueueRateLimiterTools {
  readonly queue: () => Queue;
  /** What the keys begin with. */
  readonly prefix: string;
  readonly database: RateLimiter;
  readonly noticed: (error: unknown) => void;
}

/** Keeps turns in the queue's Redis, in the database while that is away, and where the queue has none. */
export class QueueRateLimiter extends RateLimiter {
  readonly #tools: QueueRateLimiterTools;
  readonly #redis: RateLimiter;
  #hasRedis: boolean | null = null;

  constructor(tools: QueueRateLimiterTools) {
    super();
    this.#tools = tools;
    const { queue, prefix, database, noticed } = tools;
    const client = async () => (await clientOf(queue())) as RedisClient;
    this.#redis = new FallbackRateLimiter(new RedisRateLimiter(client, prefix), database, noticed);
  }

  override async take(asks: PermitRequests, now: number): Promise<PermitGrants> {
    this.#hasRedis ??= await this.#find();
    return (this.#hasRedis === false ? this.#tools.database : this.#redis).take(asks, now);
  }

  /** @returns null when it cannot be told yet */
  async #find(): Promise<boolean | null> {
    try {
      const client = await orTimeout(CONNECTS_WITHIN, clientOf(this.#tools.queue()));
      return client !== undefined && typeof (client as Partial<RedisClient>).eval === 'function';
    } catch {
      return null;
    }
  }
}
