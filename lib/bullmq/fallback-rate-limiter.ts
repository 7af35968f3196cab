import {
  type PermitGrants,
  type PermitRequest,
  type PermitRequests,
  RateLimiter,
} from '../outbox/index.js';

/** Milliseconds after which one that was away is asked again. */
const AGAIN_AFTER = 5000;

/**
 * One limiter, and another while the first is away. Neither knows which permits the other has granted: whoever is asked after
 * the other takes a limit for used up, so that it holds. That costs one time `per` at each change.
 */
export class FallbackRateLimiter extends RateLimiter {
  readonly #first: RateLimiter;
  readonly #second: RateLimiter;
  readonly #noticed: (error: unknown) => void;
  /** When the first was found to be away; null while it is not. */
  #awaySince: number | null = null;
  #triedAt = Number.NEGATIVE_INFINITY;
  /** When the second was asked last. */
  #secondAt: number | null = null;

  constructor(first: RateLimiter, second: RateLimiter, noticed: (error: unknown) => void) {
    super();
    this.#first = first;
    this.#second = second;
    this.#noticed = noticed;
  }

  override async grant(asks: PermitRequests, now: number): Promise<PermitGrants> {
    if (this.#awaySince === null || performance.now() - this.#triedAt >= AGAIN_AFTER) {
      try {
        const answers = await this.#first.grant(blind(asks, this.#secondAt), now);
        this.#awaySince = null;
        return answers;
      } catch (error) {
        this.#noticed(error);
        // It may have granted permits that have not arrived.
        this.#awaySince ??= now;
        this.#triedAt = performance.now();
      }
    }
    this.#secondAt = now;
    return this.#second.grant(blind(asks, this.#awaySince), now);
  }
}

function blind(asks: PermitRequests, historyUnknownSince: number | null): PermitRequests {
  if (historyUnknownSince === null) return asks;
  return new Map(
    [...asks].map(([id, ask]): [string, PermitRequest] => [id, { ...ask, historyUnknownSince }]),
  );
}
