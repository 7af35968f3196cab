import { newId } from '../../common/id.js';
import { hostOf } from '../../message/recipient.js';
import type { Subscriber } from './subscriber.js';

/** What can happen to a subscriber. */
export const CHANGE_KINDS = [
  ...(['created', 'changed', 'removed', 'failing', 'disabled', 'recovered', 'expired'] as const),
] as const;
export type SubscriberChangeKind = (typeof CHANGE_KINDS)[number];

/** The figures of an endpoint that fails. */
export interface FailureFigures {
  /**
   * Percent of the way to being disabled: of the time `health.disableAfter` or of the messages `health.minMessages`,
   * whichever is less, because both must be reached. At most 99 before the subscriber is disabled, and 100 then.
   */
  readonly share: number;
  /** Start of the first failed attempt since the last success, in milliseconds since the Unix epoch. */
  readonly failingSince: number;
  /** Messages that have failed at least once since then. */
  readonly failingMessages: number;
  /** The status of the last answer, or null without one. */
  readonly status: number | null;
  /** The error of the last attempt without an answer, such as `timeout`, or null. */
  readonly error: string | null;
  /**
   * The earliest time at which the subscriber is disabled if every attempt goes on failing, in milliseconds since the
   * Unix epoch. Once the time is over, it is the time of the last failure: only messages are missing then. Null where the
   * subscriber is disabled already, is well again, or is never disabled.
   */
  readonly disablesAt: number | null;
  /** Why the subscriber is disabled: the endpoint answered 410 (`gone`), or it has failed for too long. Null before. */
  readonly reason: 'gone' | 'failing' | null;
}

/** One change of a subscriber: what has happened, when, and who did it. It has the names of fields, and no values. */
export interface SubscriberChange {
  /** `chg_` and a UUIDv7. A notice that is told again has the same id. */
  readonly id: string;
  readonly subscriberId: string;
  /** The user that owns the subscriber; null for the application's own. */
  readonly owner: string | null;
  /** Host and port of the subscriber's URL; the rest of the URL may contain secrets. */
  readonly host: string;
  readonly kind: SubscriberChangeKind;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /**
   * Who did it: the user that the REST API has found, `receiver` for the endpoint itself, `operator` for the operator API,
   * `worker` for the library, or `application` for code that names nobody.
   */
  readonly by: string;
  /** The names of the fields that have changed. Empty for every kind but `changed`. */
  readonly fields: readonly string[];
  /** Null for kinds that have nothing to do with failures. */
  readonly figures: FailureFigures | null;
}

/** One page of the changes of a subscriber, newest first. */
export interface SubscriberChangePage {
  readonly items: readonly SubscriberChange[];
  /** Pass it as `after` to read on; null on the last page. */
  readonly next: string | null;
}

/** Who changes a subscriber when the caller does not say it. */
export const APPLICATION = 'application';
/** Who changes a subscriber when the library does it by itself. */
export const WORKER = 'worker';
/** The greatest length of the name of who has changed a subscriber, in characters. */
export const MAX_BY_LENGTH = 255;

/** The parts of a {@link SubscriberChange} that not all kinds have. */
interface ChangeDetails {
  readonly at: number;
  readonly by: string;
  readonly fields?: readonly string[];
  readonly figures?: FailureFigures | null;
}

/** Describes a change that is about to be written. */
export function changeOf(
  kind: SubscriberChangeKind,
  { id, owner, url }: Pick<Subscriber, 'id' | 'owner' | 'url'>,
  { at, by, fields = [], figures = null }: ChangeDetails,
): SubscriberChange {
  const host = hostOf({ url });
  return { id: newId('chg_', at), subscriberId: id, owner, host, kind, at, by, fields, figures };
}
