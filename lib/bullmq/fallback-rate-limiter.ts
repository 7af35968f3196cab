import {
  type PermitGrants,
  type PermitRequest,
  type PermitRequests,
  RateLimiter,
} from '../outbox/index.js';

const RETRY_AFTER_MS = 5000;

/**
 * Asks one limiter, and another while the first fails. Neither knows which permits the other has granted, so after each
 * change the limit counts as used up for one period `per`.
 */
export class FallbackRateLimiter extends RateLimiter {
  /** When the first limiter began to fail; null while it works. */
  #failingSince: number | null = null;
  #triedAt = Number.NEGATIVE_INFINITY;
  /** When the second limiter last granted permits. */
  #secondAt: number | null = null;

  /** @param onError receives the errors of the first limiter */
  constructor(
    private readonly first: RateLimiter,
    private readonly second: RateLimiter,
    private readonly onError: (error: unknown) => void,
  ) {
    super();
  }

  override async grant(requests: PermitRequests, now: number): Promise<PermitGrants> {
    if (this.#failingSince === null || performance.now() - this.#triedAt >= RETRY_AFTER_MS) {
      try {
        const grants = await this.first.grant(withGap(requests, this.#secondAt), now);
        this.#failingSince = null;
        return grants;
      } catch (error) {
        this.onError(error);
        // It may have granted permits all the same, in an answer that has not arrived.
        this.#failingSince ??= now;
        this.#triedAt = performance.now();
      }
    }
    this.#secondAt = now;
    return this.second.grant(withGap(requests, this.#failingSince), now);
  }
}

/** Requests that say since when the limiter may not know of permits that the other one granted. */
function withGap(requests: PermitRequests, historyUnknownSince: number | null): PermitRequests {
  if (historyUnknownSince === null) return requests;
  return new Map(
    [...requests].map(([id, request]): [string, PermitRequest] => [
      id,
      { ...request, historyUnknownSince },
    ]),
  );
}
