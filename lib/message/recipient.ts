/** Digests that `Hook-HMAC` may be made with, as in Thorn. */
export type Digest = 'sha1' | 'sha256' | 'sha512';

/** One signing secret. Several may be live at once, so that a rotation overlaps. */
export interface Secret {
  /** `whsec_` and base64, or any text of at least 16 characters. Never log it. */
  readonly value: string;
  /** Time from which the secret no longer signs, in milliseconds since the Unix epoch; null for never. */
  readonly expiresAt: number | null;
}

/** The number of attempts that may begin in any period of a given length, over all processes. */
export interface RateLimit {
  /** Attempts: 1 to 1,000,000. */
  readonly max: number;
  /** Milliseconds: 1,000 to 3,600,000. */
  readonly per: number;
}

/** The part of a subscriber that a delivery needs: URL, content type, secrets, rate limit and order. */
export interface Recipient {
  /** Id of the subscriber, sent as `Hook-Subscription`. */
  readonly id: string;
  /** Where webhooks go. */
  readonly url: string;
  /** Media type of the body, one that a codec is registered for. */
  readonly contentType: string;
  /** The name of the `WebhookFormat` that makes its requests. Default null: Standard Webhooks. */
  readonly format?: string | null;
  /** Free-form texts of the owner's, for the format. Default none. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Digest of `Hook-HMAC`, where requests carry it. */
  readonly digest: Digest;
  /** Newest first. */
  readonly secrets: readonly Secret[];
  /** Attempts over this rate wait. Default: no limit. */
  readonly rateLimit?: RateLimit | null;
  /** True: messages of the same key are delivered one after another, in the order of their sequence. Default false. */
  readonly ordered?: boolean;
  /**
   * After a delivery that failed for good, an ordered subscriber gets the next message of the key (`skip`), or none until
   * somebody retries or cancels that delivery (`hold`). Default `skip`.
   */
  readonly onExhausted?: 'skip' | 'hold';
  /** Milliseconds after which a key that is held goes on by itself; null for never. Default null. */
  readonly holdFor?: number | null;
  /** From then on nothing is sent to it. Default null: no end. */
  readonly expiresAt?: Date | null;
}

/** Tells whether a recipient's end has passed. @param now milliseconds since the Unix epoch */
export function hasEnded({ expiresAt }: Pick<Recipient, 'expiresAt'>, now: number): boolean {
  return expiresAt !== undefined && expiresAt !== null && expiresAt.getTime() <= now;
}
