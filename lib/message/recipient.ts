/** Digests that `Hook-HMAC` may be made with, as in Thorn. */
export type Digest = 'sha1' | 'sha256' | 'sha512';

/** One signing secret. Several may be live at once, so that a rotation overlaps. */
export interface Secret {
  /** `whsec_` and base64, or any text of at least 16 characters. Never log it. */
  readonly value: string;
  /** When it stops to sign, in milliseconds since the Unix epoch; null for never. */
  readonly expiresAt: number | null;
}

/** How many attempts may be made in any time of a given length, whichever process makes them. */
export interface RateLimit {
  /** Attempts: 1 to 1,000,000. */
  readonly max: number;
  /** Milliseconds: 1,000 to 3,600,000. */
  readonly per: number;
}

/** What a delivery has to know of a subscriber: where to send, in which form, signed with what. */
export interface Recipient {
  readonly id: string;
  readonly url: string;
  /** Media type of the body, one that a codec is registered for. */
  readonly contentType: string;
  /** Digest of `Hook-HMAC`. */
  readonly digest: Digest;
  /** Newest first. */
  readonly secrets: readonly Secret[];
  /** What it takes at most; what is more waits. Default none. */
  readonly rateLimit?: RateLimit | null;
}
