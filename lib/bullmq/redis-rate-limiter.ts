import { orTimeout } from '../common/async/timeout.js';
import {
  grantPermits,
  type PermitGrant,
  type PermitGrants,
  type PermitRequest,
  type PermitRequests,
  RateLimiter,
  expiresAt,
  serializeWindow,
  parseWindow,
} from '../outbox/index.js';

/** A client of Redis, as far as the limiter uses it. */
export interface RedisClient {
  get(key: string): Promise<string | null>;
  eval(script: string, keys: number, ...parameters: (string | number)[]): Promise<unknown>;
  on(event: 'close', listener: () => void): unknown;
}

/** Writes a window if it is still the one that was read. Otherwise returns the one that another process has written. */
const WRITE = `
local known = redis.call('GET', KEYS[1]) or ''
if known ~= ARGV[1] then return known end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return false`;
const MOST_TRIES = 100;
const ANSWERS_WITHIN = 1000;
const KEPT_FOR = 60_000;
const MOST_REMEMBERED = 10_000;

/**
 * Keeps permits in Redis, one key for each subscriber. This process computes the new window and writes it only if no other
 * process has written meanwhile. Otherwise it computes the window again from the one that it found.
 */
export class RedisRateLimiter extends RateLimiter {
  /** When this process last wrote a window, by subscriber. A Redis that has no window since then has lost it. */
  readonly #seen = new Map<string, number>();

  /** @param prefix of the keys */
  constructor(
    private readonly client: () => Promise<RedisClient>,
    private readonly prefix: string,
  ) {
    super();
  }

  override async grant(requests: PermitRequests, now: number): Promise<PermitGrants> {
    if (requests.size === 0) return new Map();
    const granted = this.client().then((client) =>
      Promise.all(
        [...requests].map(
          async ([id, request]) => [id, await this.#grant(client, id, request, now)] as const,
        ),
      ),
    );
    return new Map(await orTimeout(ANSWERS_WITHIN, granted));
  }

  async #grant(
    client: RedisClient,
    id: string,
    request: PermitRequest,
    now: number,
  ): Promise<PermitGrant> {
    const key = this.prefix + id;
    let known = (await client.get(key)) ?? '';
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const seen = this.#seen.get(id);
      // Redis was flushed, or is another one: it has forgotten permits that other processes may have got.
      const isForgotten = known === '' && seen !== undefined && seen > now - request.limit.per * 2;
      const unknown = isForgotten
        ? { own: seen, until: Math.max(request.unknown?.until ?? seen, seen) }
        : request.unknown;
      const { window, answer } = grantPermits(parseWindow(known), { ...request, unknown }, now);
      const keptFor = Math.ceil(Math.max(0, expiresAt(window) - now)) + KEPT_FOR;
      const other = await client.eval(WRITE, 1, key, known, serializeWindow(window), keptFor);
      if (other === null) {
        this.#remember(id, now);
        return answer;
      }
      known = String(other);
    }
    throw new Error(`Other processes have changed ${key} ${MOST_TRIES} times meanwhile`);
  }

  #remember(id: string, now: number): void {
    this.#seen.delete(id);
    this.#seen.set(id, now);
    if (this.#seen.size > MOST_REMEMBERED) this.#seen.delete(this.#seen.keys().next().value!);
  }
}
