/** An answer that is given again. */
export interface KeptAnswer {
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly status: number;
}

/**
 * The state of a key. `fresh`: the key was unused, and this call has claimed it. `under-way`: another request holds the
 * key. `different`: the key was used for another request. `done`: the stored answer.
 */
export type KeyState =
  | { readonly state: 'fresh' | 'under-way' | 'different' }
  | { readonly state: 'done'; readonly answer: KeptAnswer };

/** The lifetime of an answer: a day, in milliseconds. */
export const KEPT_FOR = 24 * 60 * 60_000;
/** The time in milliseconds after which an unfinished request loses its key. */
export const GIVEN_UP_AFTER = 60_000;

/**
 * Keeps the answers of requests that came with an idempotency key, so that a repeated request is done once.
 *
 * @internal
 */
export abstract class IdempotencyStore {
  /**
   * Claims a key. When two calls claim the same key at the same time, in one process or in two, only one of them gets
   * `fresh`.
   *
   * @param key 64 characters at most
   * @param fingerprint of the request, 64 characters at most
   */
  abstract begin(key: string, fingerprint: string): Promise<KeyState>;

  /** Keeps the answer of a claimed key. */
  abstract finish(key: string, answer: KeptAnswer): Promise<void>;

  /** Releases a key whose request has failed, so that the client may try again. */
  abstract abandon(key: string): Promise<void>;
}
