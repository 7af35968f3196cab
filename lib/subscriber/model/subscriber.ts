import type { JsonValue } from '../../event/conditions/condition-compile.js';
import { InvalidInputError } from '../../errors/index.js';
import { hasEnded, type RateLimit, type Recipient } from '../../message/recipient.js';

/**
 * The consent of the endpoint: it was not asked (`none`), it was asked and has not answered (`pending`, it receives
 * nothing), or it has agreed (`verified`).
 */
export type Verification = 'none' | 'pending' | 'verified';

/** A receiver of events: an URL, the patterns of its events, and the secrets that sign its deliveries. */
export interface Subscriber extends Recipient {
  /** `sub_` and a UUIDv7; sent as `Hook-Subscription`. */
  readonly id: string;
  /** The user it belongs to; null for the application's own, which receives every match. */
  readonly owner: string | null;
  /** Patterns of event names, for example `article.*`. */
  readonly events: readonly string[];
  /** Patterns of events that it does not want, although `events` matches them. */
  readonly exclude: readonly string[];
  /** A condition on a message's data, as the JSON of `conditionToJson()`: where it does not hold, nothing is sent. */
  readonly filter: JsonValue | null;
  /** The number of attempts that its endpoint gets in a given time; further ones wait. Null: no limit. */
  readonly rateLimit: RateLimit | null;
  /** True: messages of the same key go one after another, in the order of their sequence. */
  readonly ordered: boolean;
  /** After a delivery that failed for good: the next message of its key goes (`skip`), or none does (`hold`). */
  readonly onExhausted: 'skip' | 'hold';
  /** With `hold`: milliseconds after which the key goes on by itself; null for never. */
  readonly holdFor: number | null;
  /** False: it receives nothing. */
  readonly enabled: boolean;
  /** Whether the endpoint has agreed to receive webhooks. */
  readonly verification: Verification;
  /** From then on it receives nothing, by the application's clock; null for no end. */
  readonly expiresAt: Date | null;
  /** A name that no other subscriber of its owner has, given at its creation; null for none. */
  readonly key: string | null;
  /** The name of the format of its requests, given at its creation; null for the standard one. */
  readonly format: string | null;
  /** A text for people, of up to 1,000 characters; null for none. */
  readonly description: string | null;
  /** Free-form texts of the owner's. */
  readonly metadata: Readonly<Record<string, string>>;
  /** When it was created. */
  readonly createdAt: Date;
  /** When it was changed last. */
  readonly updatedAt: Date;
}

/** The fields of a new subscriber; see {@link Subscriber} for the fields. */
export interface NewSubscriber {
  /** Where webhooks go: an http or https URL of up to 2,048 characters. */
  readonly url: string;
  /** Patterns of event names, 1 to 50. */
  readonly events: readonly string[];
  /** Default null: the application's own. */
  readonly owner?: string | null;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** Default `sha256`. */
  readonly digest?: Subscriber['digest'];
  /** Default: a new random one. */
  readonly secret?: string;
  /** Patterns of events to leave out. Default none. */
  readonly exclude?: readonly string[];
  /** A condition on the data of messages, as JSON. Default null: all. */
  readonly filter?: JsonValue | null;
  /** Default null: no limit. */
  readonly rateLimit?: RateLimit | null;
  /** True: messages of the same key go one after another. Default false. */
  readonly ordered?: boolean;
  /** Default `skip`: after a delivery that failed for good, the next message of its key goes. */
  readonly onExhausted?: Subscriber['onExhausted'];
  /** With `hold`: milliseconds, 1 to 1,209,600,000 (two weeks). Default null: until somebody retries or cancels. */
  readonly holdFor?: number | null;
  /** Default true. */
  readonly enabled?: boolean;
  /** From then on it receives nothing. Default null: no end. */
  readonly expiresAt?: Date | null;
  /** A text of 1 to 255 characters that no other subscriber of the owner has. Default null: none. */
  readonly key?: string | null;
  /** The name of a registered format, which makes its requests. Default `standard`. */
  readonly format?: string | null;
  /** A text for people, of up to 1,000 characters. Default null. */
  readonly description?: string | null;
  /** Free-form texts of the owner's, up to 20. Default none. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The fields of a subscriber that may change; a field that is left out stays as it is. */
export type SubscriberChanges = Partial<
  Omit<Subscriber, 'id' | 'owner' | 'key' | 'format' | 'createdAt' | 'updatedAt'>
>;

/**
 * The fields that applications and the REST API may change; a field that is left out stays as it is. Lists and `metadata` are
 * replaced as a whole. `onExhausted: 'skip'` also removes a `holdFor`. Limits are those of {@link NewSubscriber}.
 */
export interface SubscriberUpdate extends Omit<SubscriberChanges, 'verification' | 'secrets'> {
  /** Replaces every secret at once: deliveries are signed with this one alone from then on. */
  readonly secret?: string;
}

/**
 * Whose subscribers a call may touch: those of one owner (null: the ownerless), or `any` for the application's own
 * code. Always said, never assumed, so that a caller's id cannot reach another owner's row by omission.
 */
export type OwnerScope = { readonly owner: string | null } | 'any';

/** Tells whether a subscriber receives webhooks: it is enabled, and its endpoint is not still to be verified. */
export function isActive({
  enabled,
  verification,
}: Pick<Subscriber, 'enabled' | 'verification'>): boolean {
  return enabled && verification !== 'pending';
}

/**
 * How a subscriber is. `expired`: its end has passed. `unverified`: its endpoint has not answered the challenge yet.
 * `disabled`: it is not enabled. `failing`: attempts have only failed since the latest success. `active`: none of these.
 */
export const SUBSCRIBER_STATES = [
  ...(['active', 'failing', 'disabled', 'unverified', 'expired'] as const),
] as const;
export type SubscriberState = (typeof SUBSCRIBER_STATES)[number];

/** @param failingSince null where the endpoint does not fail, or nobody knows */
export function subscriberState(
  subscriber: Pick<Subscriber, 'enabled' | 'verification' | 'expiresAt'>,
  failingSince: number | null,
  now: number,
): SubscriberState {
  if (hasEnded(subscriber, now)) return 'expired';
  if (subscriber.verification === 'pending') return 'unverified';
  if (!subscriber.enabled) return 'disabled';
  return failingSince === null ? 'active' : 'failing';
}

/** Checks the scope of the caller. @throws {@link InvalidInputError} when the scope is missing or malformed */
export function checkScope(scope: OwnerScope): void {
  const isOwner = typeof scope === 'object' && scope !== null && 'owner' in scope;
  if (scope === 'any' || (isOwner && (scope.owner === null || typeof scope.owner === 'string'))) {
    return;
  }
  throw new InvalidInputError(
    'scope',
    "must be { owner }, or 'any' for the application's own code",
  );
}
