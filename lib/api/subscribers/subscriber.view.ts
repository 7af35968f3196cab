import type { Digest, RateLimit } from '../../message/recipient.js';
import type { WireFormat } from '../../message/index.js';
import type { JsonValue } from '../../event/index.js';
import type { Subscriber } from '../../subscriber/index.js';

/**
 * `active`: it receives. `disabled`: it was switched off, by its owner or because its endpoint failed. `unverified`: its
 * endpoint has not yet answered the challenge.
 */
export type SubscriberState = 'active' | 'disabled' | 'unverified';

export function stateOf({
  enabled,
  verification,
}: Pick<Subscriber, 'enabled' | 'verification'>): SubscriberState {
  if (verification === 'pending') return 'unverified';
  return enabled ? 'active' : 'disabled';
}

/** A subscriber as its owner sees it: every field is named here, so that no other can slip out. */
export class SubscriberView {
  readonly id: string;
  /** The subscriber's own URL. */
  readonly self: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly exclude: readonly string[];
  readonly filter: JsonValue | null;
  readonly rateLimit: RateLimit | null;
  readonly ordered: boolean;
  readonly onExhausted: Subscriber['onExhausted'];
  readonly holdFor: number | null;
  readonly contentType: string;
  /** Of `Hook-HMAC`; undefined where that is not sent. */
  readonly digest: Digest | undefined;
  readonly enabled: boolean;
  /** The present state of the subscriber; see {@link stateOf}. */
  readonly state: SubscriberState;
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** When the secrets from before the latest rotation sign no more, which may be over; null without a rotation. */
  readonly rotationEndsAt: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;

  constructor(subscriber: Subscriber, self: string, { hookHmac }: WireFormat) {
    this.id = subscriber.id;
    this.self = self;
    this.url = subscriber.url;
    this.events = subscriber.events;
    this.exclude = subscriber.exclude;
    this.filter = subscriber.filter;
    this.rateLimit = subscriber.rateLimit;
    this.ordered = subscriber.ordered;
    this.onExhausted = subscriber.onExhausted;
    this.holdFor = subscriber.holdFor;
    this.contentType = subscriber.contentType;
    this.digest = hookHmac ? subscriber.digest : undefined;
    this.enabled = subscriber.enabled;
    this.state = stateOf(subscriber);
    this.description = subscriber.description;
    this.metadata = subscriber.metadata;
    const ends = subscriber.secrets.flatMap(({ expiresAt }) => expiresAt ?? []);
    this.rotationEndsAt = ends.length === 0 ? null : new Date(Math.max(...ends)).toISOString();
    this.createdAt = subscriber.createdAt.toISOString();
    this.updatedAt = subscriber.updatedAt.toISOString();
  }
}

/** The response to a change. */
export class ChangedSubscriberView extends SubscriberView {
  constructor(
    subscriber: Subscriber,
    self: string,
    format: WireFormat,
    /** Sentences about what cannot be checked: fields of the filter on events without a schema. */
    readonly warnings: readonly string[],
  ) {
    super(subscriber, self, format);
  }
}

/** The response to a creation and to a rotation, the only ones that show the secret. */
export class SecretSubscriberView extends SubscriberView {
  /** The secret that signs deliveries: `whsec_` and base64, or the text that the caller gave. */
  readonly secret: string;

  constructor(subscriber: Subscriber, self: string, format: WireFormat) {
    super(subscriber, self, format);
    this.secret = subscriber.secrets[0]!.value;
  }
}

/** The response to a creation. */
export class CreatedSubscriberView extends SecretSubscriberView {
  constructor(
    subscriber: Subscriber,
    self: string,
    format: WireFormat,
    /** As in {@link ChangedSubscriberView}. */
    readonly warnings: readonly string[],
  ) {
    super(subscriber, self, format);
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
