import type { JsonValue, UncheckedPaths } from '../../event/index.js';
import type { WebhookFormats } from '../../message/index.js';
import type { FieldRules } from '../model/field-kinds.js';
import type { Subscriber } from '../model/subscriber.js';
import type { SubscriberLimits, UpdateTerms } from '../model/subscriber.repository.js';

/** The events that a subscriber gets. */
export type FilteredEvents = Pick<Subscriber, 'events' | 'exclude'>;

/** The fields of a subscriber that are about the bodies of its events. */
export type BodyFields = FilteredEvents &
  Pick<Subscriber, 'changed' | 'fields' | 'thin' | 'template'>;

/**
 * The checks that {@link Subscribers} makes before it stores a subscriber, and that depend on other parts of the
 * library, such as the recipient policy.
 */
export abstract class SubscriberRules implements FieldRules {
  /** @throws {@link RecipientRefusedError} when webhooks may not go to the URL */
  abstract checkUrl(url: string): unknown;
  /** @throws {@link RecipientRefusedError} when the URL's name resolves to an address that webhooks may not go to */
  checkAddresses?(url: string): Promise<void>;
  /** The content types that a codec is registered for. */
  abstract readonly contentTypes: readonly string[];
  /** The formats that are registered. */
  abstract readonly formats: WebhookFormats;
  /** @throws {@link InvalidInputError} when a pattern can match no event that is known */
  checkPatternKnown?(pattern: string): void;
  /**
   * Checks a filter against the events that a subscriber gets.
   *
   * @returns the warnings: fields that cannot be checked, because their event has no schema
   * @throws {@link InvalidInputError} when the filter can never hold
   */
  checkFilter?(filter: JsonValue, subscriber: FilteredEvents): readonly UncheckedPaths[];
  /**
   * Checks the fields of a subscriber that are about the bodies of the events that it gets.
   *
   * @returns the warnings: paths that cannot be checked, because their event has no schema
   * @throws {@link InvalidInputError} for `changed`, `fields` or `template`
   */
  checkBodies?(subscriber: BodyFields): readonly UncheckedPaths[];
  /** @throws {@link InvalidInputError} when a caller's secret is too weak to sign with */
  abstract checkSecret(secret: string): void;
  /** A new random secret. */
  abstract generateSecret(): string;
}

/** Conditions of a creation, used by the REST API. */
export interface CreationTerms {
  /** The limits of the owner. Default: no limit. */
  readonly limits?: SubscriberLimits;
  /** True: the subscriber receives nothing until `Subscribers.verify()`. Default false. */
  readonly isChallenged?: boolean;
  /** Who creates the subscriber, for its audit: a text of 1 to 255 characters. Default `application`. */
  readonly by?: string;
}

/** Conditions of a change, used by the REST API. */
export interface ChangeTerms extends UpdateTerms {
  /**
   * True: after a change of the URL, the subscriber receives nothing until `Subscribers.verify()`. Default false.
   */
  readonly isChallenged?: boolean;
}
