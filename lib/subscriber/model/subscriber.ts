import type { JsonValue } from '../../event/conditions/condition-compile.js';
import { InvalidInputError } from '../../errors/index.js';
import {
  type EndpointAuth,
  hasEnded,
  type RateLimit,
  type Recipient,
} from '../../message/recipient.js';

/**
 * The consent of the endpoint. `none`: the endpoint was not asked. `pending`: it was asked and has not agreed yet, so
 * the subscriber receives nothing. `verified`: it has agreed.
 */
export type Verification = 'none' | 'pending' | 'verified';

/** A receiver of events: a URL, the patterns of its events, and the secrets that sign its deliveries. */
export interface Subscriber extends Recipient {
  /** `sub_` and a UUIDv7; sent as `Hook-Subscription`. */
  readonly id: string;
  /**
   * The user that the subscriber belongs to; null for a subscriber of the application itself, which receives the
   * matching messages of all users.
   */
  readonly owner: string | null;
  /** Patterns of event names, for example `article.*`. */
  readonly events: readonly string[];
  /** Patterns of events that the subscriber does not want, although `events` matches them. */
  readonly exclude: readonly string[];
  /**
   * A condition on a message's data, as the JSON of `conditionToJson()`. Messages for which it does not hold are not
   * sent. Null: no condition.
   */
  readonly filter: JsonValue | null;
  /**
   * Names of fields. Messages in whose `trigger.changed` none of them stands are not sent. Null: all messages.
   */
  readonly changed: readonly string[] | null;
  /** Dotted paths: bodies have no more of `data` than these. Null: all of it. */
  readonly fields: readonly string[] | null;
  /** True: bodies have no data but the URL at which the receiver can fetch it. */
  readonly thin: boolean;
  /** JSON in which `{{path}}` stands for values of the body, and which is sent in its place. Null: none. */
  readonly template: string | null;
  /** The number of attempts that the endpoint gets in a given time; further attempts wait. Null: no limit. */
  readonly rateLimit: RateLimit | null;
  /** True: messages of the same key are delivered one after another, in the order of their sequence. */
  readonly ordered: boolean;
  /**
   * After a delivery has failed for good: `skip` delivers the next message of its key, `hold` delivers no further
   * message of the key.
   */
  readonly onExhausted: 'skip' | 'hold';
  /** With `hold`: milliseconds after which the next message of the key is delivered all the same; null for never. */
  readonly holdFor: number | null;
  /** False: the subscriber receives nothing. */
  readonly enabled: boolean;
  /** Whether the endpoint has agreed to receive webhooks. */
  readonly verification: Verification;
  /** The time from which the subscriber receives nothing, by the application's clock; null for no end. */
  readonly expiresAt: Date | null;
  /** A name that no other subscriber of the owner has, given when the subscriber is created; null for none. */
  readonly key: string | null;
  /** The name of the format of its requests, given when the subscriber is created; null for the standard format. */
  readonly format: string | null;
  /** Headers that each request carries, by name. Their values are secrets. */
  readonly headers: Readonly<Record<string, string>>;
  /** What each request authenticates itself with at the endpoint; null for nothing. It is a secret. */
  readonly auth: EndpointAuth | null;
  /** Milliseconds that a request may take; null for those of the event, else those of the module. */
  readonly timeout: number | null;
  /** A text for people, of up to 1,000 characters; null for none. */
  readonly description: string | null;
  /** Free-form texts of the owner's. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The time at which the subscriber was created. */
  readonly createdAt: Date;
  /** The time at which the subscriber was changed last. */
  readonly updatedAt: Date;
}

/** The fields of a new subscriber; see {@link Subscriber} for the fields. */
export interface NewSubscriber {
  /** The URL that webhooks are sent to: http or https, up to 2,048 characters. */
  readonly url: string;
  /** Patterns of event names, 1 to 50. */
  readonly events: readonly string[];
  /** The user that the subscriber belongs to. Default null: the application itself. */
  readonly owner?: string | null;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** Default `sha256`. */
  readonly digest?: Subscriber['digest'];
  /** The secret that signs deliveries. Default: a new random secret. */
  readonly secret?: string;
  /** Patterns of events to leave out. Default none. */
  readonly exclude?: readonly string[];
  /** A condition on the data of messages, as JSON. Default null: all messages. */
  readonly filter?: JsonValue | null;
  /** Names of fields, one of which must have changed. Default null: all messages. */
  readonly changed?: readonly string[] | null;
  /** Dotted paths of `data`, up to 50: bodies have no more of it than these. Default null: all of it. */
  readonly fields?: readonly string[] | null;
  /** True: bodies have no data but the URL at which it can be fetched. Needs the option `shapes.url`. Default false. */
  readonly thin?: boolean;
  /**
   * JSON of up to 8,192 characters in which `{{path}}` stands for values of the body. Needs the option `shapes.templates`.
   * Default null: none.
   */
  readonly template?: string | null;
  /** Default null: no limit. */
  readonly rateLimit?: RateLimit | null;
  /** True: messages of the same key are delivered one after another. Default false. */
  readonly ordered?: boolean;
  /** Default `skip`: after a delivery has failed for good, the next message of its key is delivered. */
  readonly onExhausted?: Subscriber['onExhausted'];
  /**
   * With `hold`: milliseconds, 1 to 1,209,600,000 (two weeks). Default null: the key is held until somebody retries or
   * cancels the failed delivery.
   */
  readonly holdFor?: number | null;
  /** Default true. */
  readonly enabled?: boolean;
  /** The time from which the subscriber receives nothing. Default null: no end. */
  readonly expiresAt?: Date | null;
  /** A text of 1 to 255 characters that no other subscriber of the owner has. Default null: none. */
  readonly key?: string | null;
  /** The name of a registered format, which makes its requests. Default `standard`. */
  readonly format?: string | null;
  /**
   * Headers that each request carries: up to 20, with up to 4,096 bytes of names and values. Names that the library, the
   * protocol or `auth` sets are refused. Default none.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /** What each request authenticates itself with at the endpoint. Default null: nothing. */
  readonly auth?: EndpointAuth | null;
  /** Milliseconds that a request may take: 1,000 to 30,000. Default null: those of the event, else those of the module. */
  readonly timeout?: number | null;
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
 * {@link EndpointAuth} as a change names it: of the same type, members that are left out stay as they are; of another
 * type, it replaces the earlier one as a whole. `scope: null` removes the scopes.
 */
export type EndpointAuthChange = EndpointAuth extends infer Auth
  ? Auth extends { readonly type: infer Type }
    ? { readonly type: Type } & {
        readonly [Name in Exclude<keyof Auth, 'type'>]?:
          Auth[Name] | (Name extends 'scope' ? null : never);
      }
    : never
  : never;

/**
 * The fields that applications and the REST API may change; a field that is left out stays as it is. Lists and
 * `metadata` are replaced as a whole. `headers` names only the headers that change: null removes one, and names that are
 * left out stay as they are. `onExhausted: 'skip'` also removes a `holdFor`. The limits are the limits of
 * {@link NewSubscriber}.
 */
export interface SubscriberUpdate extends Omit<
  SubscriberChanges,
  'verification' | 'secrets' | 'headers' | 'auth'
> {
  /** The headers that change, by name; null removes one. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** Null: requests carry no credentials any more. */
  readonly auth?: EndpointAuthChange | null;
  /** Replaces every secret at once: deliveries are signed with this secret only from then on. */
  readonly secret?: string;
}

/**
 * The subscribers that a call may read and change: the subscribers of one owner (null: the subscribers without an
 * owner), or `any` for the application's own code. It has no default, so that a forgotten scope cannot give a caller
 * access to the subscribers of another owner.
 */
export type OwnerScope = { readonly owner: string | null } | 'any';

/** Tells whether a scope contains a subscriber, or a change of one, by its owner. */
export function isWithin({ owner }: { readonly owner: string | null }, scope: OwnerScope): boolean {
  return scope === 'any' || owner === scope.owner;
}

/** Tells whether a subscriber receives webhooks: it is enabled, and no verification of its endpoint is pending. */
export function isActive({
  enabled,
  verification,
}: Pick<Subscriber, 'enabled' | 'verification'>): boolean {
  return enabled && verification !== 'pending';
}

/**
 * The state of a subscriber. `expired`: its end has passed. `unverified`: its endpoint has not answered the challenge
 * yet. `disabled`: it is not enabled. `failing`: every attempt since the latest success has failed. `active`: none of
 * these states.
 */
export const SUBSCRIBER_STATES = [
  ...(['active', 'failing', 'disabled', 'unverified', 'expired'] as const),
] as const;
export type SubscriberState = (typeof SUBSCRIBER_STATES)[number];

/** @param failingSince null where the endpoint does not fail, or where the library does not know it */
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
