import type { Digest } from '../message/recipient.js';
import type { Subscriber } from '../subscriber/index.js';

/** A subscriber as its owner sees it: every field is named here, so that no other can slip out. */
export class SubscriberView {
  readonly id: string;
  /** The subscriber's own URL. */
  readonly self: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly contentType: string;
  readonly digest: Digest;
  readonly enabled: boolean;
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAt: string;
  readonly updatedAt: string;

  constructor(subscriber: Subscriber, self: string) {
    this.id = subscriber.id;
    this.self = self;
    this.url = subscriber.url;
    this.events = subscriber.events;
    this.contentType = subscriber.contentType;
    this.digest = subscriber.digest;
    this.enabled = subscriber.enabled;
    this.description = subscriber.description;
    this.metadata = subscriber.metadata;
    this.createdAt = subscriber.createdAt.toISOString();
    this.updatedAt = subscriber.updatedAt.toISOString();
  }
}

/** The answer to a creation, the only one that shows the secret. */
export class CreatedSubscriberView extends SubscriberView {
  /** What deliveries are signed with: `whsec_` and base64, or the text that the caller gave. */
  readonly secret: string;

  constructor(subscriber: Subscriber, self: string) {
    super(subscriber, self);
    this.secret = subscriber.secrets[0]!.value;
  }
}

/** One page of a list. */
export class SubscriberPageView {
  constructor(
    readonly items: readonly SubscriberView[],
    /** Pass it as `after` to read on; null on the last page. */
    readonly next: string | null,
  ) {}
}
