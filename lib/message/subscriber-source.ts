import type { Digest, RateLimit, Recipient } from './recipient.js';

/** A subscriber that the application declares in its code or settings instead of storing it. */
export interface StaticSubscriber {
  readonly url: string;
  /** `whsec_…` or a text of at least 16 characters. Without one its deliveries are not signed. */
  readonly secret?: string;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** The name of a registered `WebhookFormat`. Default `standard`. */
  readonly format?: string;
  /** Digest of `Hook-HMAC`. Default `sha256`. */
  readonly digest?: Digest;
  /** Attempts over this rate wait. Default: no limit. */
  readonly rateLimit?: RateLimit | null;
  /** True: messages of the same key are delivered one after another. Default false. */
  readonly ordered?: boolean;
  /** Whether the next message of a key goes after one that failed for good. Default `skip`. */
  readonly onExhausted?: Recipient['onExhausted'];
  /**
   * With `hold`: milliseconds after which deliveries of the key continue without anybody's help. Default null: never.
   */
  readonly holdFor?: number | null;
}

/** Returns the subscribers of an event; may be asynchronous, and may be a generator. */
export type SubscriberCallback = (
  event: string,
  owner: string | null,
) => SubscriberSource | Promise<SubscriberSource>;

/**
 * Static subscribers in every form that Thorn accepts: a URL, an object, a list, a generator, or a function of the event
 * and its owner that returns any of these; nested freely. Null and undefined stand for no subscriber.
 */
export type SubscriberSource =
  | string
  | StaticSubscriber
  | SubscriberCallback
  | Iterable<SubscriberSource>
  | AsyncIterable<SubscriberSource>
  | null
  | undefined;
