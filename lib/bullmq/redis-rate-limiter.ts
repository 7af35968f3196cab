import { orTimeout } from '../common/timeout.js';
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

/** The part of a Redis client that is used. */
export interface RedisClient {
  get(key: string): Promise<string | null>;
  eval(script: string, keys: number, ...parameters: (string | number)[]): Promise<unknown>;
}

/** Writes if nobody else has written since; answers what there is otherwise. */
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
 * Keeps permits in Redis, one key for each subscriber. What they are is reckoned here, and written only if no other process
 * has written meanwhile: else it is reckoned anew from what that one has left.
 */
export class RedisRateLimiter extends RateLimiter {
  readonly #client: () => Promise<RedisClient>;
  readonly #prefix: string;
  /** When this process last got a permit from here, by subscriber: who knows less has lost its memory. */
  readonly #seen = new Map<string, number>();

  /** @param prefix what the keys begin with */
  constructor(client: () => Promise<RedisClient>, prefix: string) {
    super();
    this.#client = client;
    this.#prefix = prefix;
  }

  override async grant(asks: PermitRequests, now: number): Promise<PermitGrants> {
    if (asks.size === 0) return new Map();
    const given = this.#client().then((client) =>
      Promise.all(
        [...asks].map(async ([id, ask]) => [id, await this.#grant(client, id, ask, now)] as const),
      ),
    );
    return new Map(await orTimeout(ANSWERS_WITHIN, given));
  }

  async #grant(
    client: RedisClient,
    id: string,
    ask: PermitRequest,
    now: number,
  ): Promise<PermitGrant> {
    const key = this.#prefix + id;
    let known = (await client.get(key)) ?? '';
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const seen = this.#seen.get(id);
      // It has been emptied, or is another one: others may have got permits that are forgotten.
      const isForgotten = known === '' && seen !== undefined && seen > now - ask.limit.per * 2;
      const historyUnknownSince = isForgotten
        ? Math.max(ask.historyUnknownSince ?? seen, seen)
        : ask.historyUnknownSince;
      const { window, answer } = grantPermits(
        parseWindow(known),
        { ...ask, historyUnknownSince },
        now,
      );
      const keptFor = Math.ceil(Math.max(0, expiresAt(window) - now)) + KEPT_FOR;
      const other = await client.eval(WRITE, 1, key, known, serializeWindow(window), keptFor);
      if (other === null) {
        this.#remember(id, now);
        return answer;
      }
      known = String(other);
    }
    throw new Error(`others have written ${key} ${MOST_TRIES} times meanwhile`);
  }

  #remember(id: string, now: number): void {
    this.#seen.delete(id);
    this.#seen.set(id, now);
    if (this.#seen.size > MOST_REMEMBERED) this.#seen.delete(this.#seen.keys().next().value!);
  }
}
