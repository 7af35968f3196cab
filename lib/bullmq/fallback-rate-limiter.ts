import {
  type PermitGrants,
  type PermitRequest,
  type PermitRequests,
  RateLimiter,
  type UnknownPermits,
} from '../outbox/index.js';

/** Milliseconds from a failure of the first limiter to the next try. */
const RETRY_AFTER = 1000;
/** Milliseconds within which all processes see that the first limiter fails or works again: they connect, and try again. */
const SEEN_WITHIN = 3000;

/**
 * Asks one limiter, and another while the first fails. Neither knows which permits the other has granted, so after each
 * change the limit counts as used up for one period `per`, and for as long as other processes may still use the other one.
 */
export class FallbackRateLimiter extends RateLimiter {
  /** When the first limiter began to fail; null while it works. */
  #failingSince: number | null = null;
  #failedAt = 0;
  /** True when the connection to the first limiter was lost since the last request. */
  #wasLost = false;
  #askedAt = 0;
  /** The permits of the second limiter that the first one does not know of. */
  #bySecond: UnknownPermits | null = null;

  /** @param onError receives the errors of the first limiter */
  constructor(
    private readonly first: RateLimiter,
    private readonly second: RateLimiter,
    private readonly onError: (error: unknown) => void,
  ) {
    super();
  }

  /** Notes that the connection to the first limiter was lost: other processes may use the second one meanwhile. */
  connectionLost(): void {
    this.#wasLost = true;
  }

  override async grant(requests: PermitRequests, now: number): Promise<PermitGrants> {
    const began = performance.now();
    let at = now;
    if (this.#failingSince === null || Math.abs(now - this.#failedAt) >= RETRY_AFTER) {
      // Other processes may have used the second limiter until now, even if this one has not asked for long.
      if (this.#failingSince !== null || this.#wasLost)
        this.#bySecond = { own: this.#askedAt, until: now + SEEN_WITHIN };
      try {
        this.#wasLost = false;
        const grants = await this.first.grant(withUnknown(requests, this.#bySecond), now);
        this.#failingSince = null;
        this.#askedAt = now;
        return grants;
      } catch (error) {
        this.onError(error);
        // It may have granted permits all the same, to others or in an answer that has not arrived.
        at = now + Math.ceil(performance.now() - began);
        this.#failingSince ??= at;
        this.#failedAt = at;
      }
    }
    this.#askedAt = at;
    const since = this.#failingSince;
    const byFirst = { own: since, until: since + SEEN_WITHIN };
    return this.second.grant(withUnknown(requests, byFirst), at);
  }
}

/** Requests that say which permits their limiter does not know of. */
function withUnknown(requests: PermitRequests, unknown: UnknownPermits | null): PermitRequests {
  if (unknown === null) return requests;
  return new Map(
    [...requests].map(([id, request]): [string, PermitRequest] => [id, { ...request, unknown }]),
  );
}
