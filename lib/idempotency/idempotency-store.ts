/** An answer that is given again. */
export interface KeptAnswer {
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * What is known of a key. `fresh`: nobody has used it, and it is taken now. `under-way`: somebody is at it. `different`:
 * it was used for another request. `done`: here is what was answered.
 */
export type KeyState =
  | { readonly state: 'fresh' | 'under-way' | 'different' }
  | { readonly state: 'done'; readonly answer: KeptAnswer };

/** How long an answer is kept: a day, in milliseconds. */
export const KEPT_FOR = 24 * 60 * 60_000;
/** After which a request that nobody finished is given up, in milliseconds. */
export const GIVEN_UP_AFTER = 60_000;

/**
 * Keeps the answers of requests that came with an idempotency key, so that one that is repeated is done once.
 *
 * @internal
 */
export abstract class IdempotencyStore {
  /**
   * Takes a key. Of two calls at the same time, in one process or in two, one gets `fresh`.
   *
   * @param key 64 characters at most
   * @param fingerprint of the request, 64 characters at most
   */
  abstract begin(key: string, fingerprint: string): Promise<KeyState>;

  /** Keeps the answer of a key that is taken. */
  abstract finish(key: string, answer: KeptAnswer): Promise<void>;

  /** Gives a key back whose request came to nothing. */
  abstract abandon(key: string): Promise<void>;
}
