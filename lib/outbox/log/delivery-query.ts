import { isIdLike } from '../../common/index.js';
import type { DeliveryStatus } from '../../delivery/index.js';
import { InvalidInputError } from '../../errors/index.js';
import { checkPattern } from '../../subscriber/index.js';
import type { TimeRange } from '../tables/log-conditions.js';
import { ANSWER_CLASSES, type AnswerClass } from '../tables/delivery-record.js';
import { checkKnownFields } from '../../common/option-checks.js';
import { checkLongWork, type LongWorkOptions } from '../../common/long-work.js';
import type { ReplaySummary } from '../retry/replay.js';

/** The filter of a page of deliveries; an omitted field matches everything. */
export interface DeliveryQuery {
  /** Id of a delivery: the page has at most this one. */
  readonly deliveryId?: string;
  /** Id of a subscriber. */
  readonly subscriberId?: string;
  /** Id of a message. */
  readonly messageId?: string;
  /** The state of the delivery. */
  readonly status?: DeliveryStatus;
  /** Name of an event, or a pattern such as `order.*`. */
  readonly event?: string;
  /** The kind of the answer to the latest attempt. */
  readonly statusClass?: AnswerClass;
  /**
   * A text of 1 to 200 characters that the message has: its order key, its `ref`, or a value of its body, which may be a
   * number as well. Capital letters matter, and bodies above 64 KB are left out. Default: any.
   */
  readonly value?: string;
  /** Host of the subscriber's present URL, with its port unless that is 443 or 80. Finds stored subscribers alone. */
  readonly host?: string;
  /** Only of messages from this time on. A number is in milliseconds since the Unix epoch. Default: from the first. */
  readonly since?: Date | number;
  /** Only of messages from before this time. A number is as in `since`. Default: up to the last. */
  readonly until?: Date | number;
  /** Only deliveries with an attempt that began at this time or later. A number is as in `since`. Default: any. */
  readonly attemptedSince?: Date | number;
  /** Only deliveries with an attempt that began before this time. A number is as in `since`. Default: any. */
  readonly attemptedUntil?: Date | number;
  /** 1 to 1,000; default 50. */
  readonly limit?: number;
  /** The `next` of the previous page. */
  readonly after?: string | null;
}

/** Options of {@link Deliveries.retryFailed} and {@link Deliveries.backfill}. */
export interface ReplayOptions extends LongWorkOptions<ReplaySummary> {
  /** Id of a stored subscriber. */
  readonly subscriberId: string;
  /** Only of messages from this time on. A number is in milliseconds since the Unix epoch. */
  readonly since: Date | number;
  /** Only of messages from before this time. A number is as in `since`. Default: up to now. */
  readonly until?: Date | number;
  /** Patterns of events; deliveries of other events are left out. Default: all. */
  readonly events?: readonly string[];
}

/** Options of {@link Deliveries.history}. */
export interface DeliveryHistoryOptions {
  /** Id of the subscriber. */
  readonly subscriberId: string;
  /** The number of days, today included, 1 to 90. Default 30. */
  readonly days?: number;
}

/** The maximum number of deliveries on one page. */
export const MAX_DELIVERIES = 1000;
/** The maximum number of deliveries that one call retries. */
export const MAX_SELECTED = 100;

const STATUSES: readonly unknown[] = ['pending', 'succeeded', 'failed'] satisfies DeliveryStatus[];
const QUERY: readonly string[] = [
  ...['deliveryId', 'subscriberId', 'messageId', 'status', 'event', 'statusClass', 'value', 'host'],
  ...['since', 'until', 'attemptedSince', 'attemptedUntil', 'limit', 'after'],
];
const BULK: readonly string[] = ['subscriberId', 'since', 'until', 'events'];
/** The latest time of a `Date`, as ECMAScript says. */
const LATEST_TIME = 8_640_000_000_000_000;
const HOST = /^[\x21-\x7e]{1,320}$/;
/** The maximum length of a value that is searched for, in characters. */
export const MAX_VALUE_LENGTH = 200;

/** The rule that {@link isSearchedValue} checks, for errors. */
export const VALUE_RULE = `must be a text of 1 to ${MAX_VALUE_LENGTH} characters`;

/** Tells whether deliveries can be searched for a value. It refuses NUL, because some databases accept no NUL in a parameter. */
export function isSearchedValue(given: unknown): given is string {
  return (
    typeof given === 'string' &&
    given.length > 0 &&
    given.length <= MAX_VALUE_LENGTH &&
    !given.includes('\0')
  );
}

/** Checks the filter of a page. @throws {@link InvalidInputError} naming the field */
export function checkListQuery(query: DeliveryQuery): void {
  checkKnownFields(query, QUERY);
  const { deliveryId, messageId, status, event, statusClass, value, host } = query;
  const { since, until, attemptedSince, attemptedUntil, limit = 1, after = null } = query;
  if (deliveryId !== undefined && !isIdLike(deliveryId)) {
    throw new InvalidInputError('deliveryId', 'must be the id of a delivery');
  }
  if (messageId !== undefined && !isIdLike(messageId)) {
    throw new InvalidInputError('messageId', 'must be the id of a message');
  }
  if (status !== undefined && !STATUSES.includes(status)) {
    throw new InvalidInputError('status', `must be one of ${STATUSES.join(', ')}`);
  }
  if (event !== undefined) checkPattern(event, 'event');
  if (statusClass !== undefined && !ANSWER_CLASSES.includes(statusClass)) {
    throw new InvalidInputError('statusClass', `must be one of ${ANSWER_CLASSES.join(', ')}`);
  }
  if (value !== undefined && !isSearchedValue(value)) {
    throw new InvalidInputError('value', VALUE_RULE);
  }
  if (host !== undefined && !(typeof host === 'string' && HOST.test(host))) {
    throw new InvalidInputError('host', 'must be a host as in URLs, with its port');
  }
  if (since !== undefined) checkTime('since', since);
  if (until !== undefined) checkTime('until', until);
  if (attemptedSince !== undefined) checkTime('attemptedSince', attemptedSince);
  if (attemptedUntil !== undefined) checkTime('attemptedUntil', attemptedUntil);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_DELIVERIES) {
    throw new InvalidInputError('limit', `must be a whole number from 1 to ${MAX_DELIVERIES}`);
  }
  if (after !== null && !(isIdLike(after) && after.startsWith('dlv_'))) {
    throw new InvalidInputError('after', 'must be the "next" of an earlier page');
  }
}

/** The time in which an attempt of each delivery began; undefined for any. */
export function attemptedRange({
  attemptedSince,
  attemptedUntil,
}: DeliveryQuery): TimeRange | undefined {
  if (attemptedSince === undefined && attemptedUntil === undefined) return undefined;
  return { since: timeFrom(attemptedSince ?? 0), until: timeFrom(attemptedUntil ?? LATEST_TIME) };
}

/**
 * Checks the options of a bulk operation.
 *
 * @param now the default of `until`; deliveries of this very millisecond are included
 * @throws {@link InvalidInputError} naming the field
 */
export function checkBulkOptions(
  options: ReplayOptions,
  now: number,
): { readonly since: number; readonly until: number } {
  checkLongWork(options, BULK);
  const { since, until = now + 1, events = [] } = options;
  if (!Array.isArray(events)) throw new InvalidInputError('events', 'must be a list of patterns');
  for (const pattern of events as readonly unknown[]) checkPattern(pattern, 'events');
  checkTime('since', since);
  checkTime('until', until);
  return { since: timeFrom(since), until: timeFrom(until) };
}

/** Checks the ids of a selection. @throws {@link InvalidInputError} whose `field` is `ids` */
export function checkSelection(ids: unknown): asserts ids is readonly string[] {
  const isList = Array.isArray(ids) && ids.length > 0 && ids.length <= MAX_SELECTED;
  if (isList && ids.every(isIdLike) && new Set(ids).size === ids.length) return;
  throw new InvalidInputError(
    'ids',
    `must be a list of 1 to ${MAX_SELECTED} ids of deliveries, each once`,
  );
}

/** Converts a time to whole milliseconds since the Unix epoch. */
export function timeFrom(moment: Date | number): number {
  return Math.ceil(typeof moment === 'number' ? moment : moment.getTime());
}

/** @throws {@link InvalidInputError} for a value that is no time of a `Date` */
export function checkTime(field: string, moment: unknown): void {
  const isMoment = typeof moment === 'number' || moment instanceof Date;
  if (isMoment && Math.abs(timeFrom(moment)) <= LATEST_TIME) return;
  throw new InvalidInputError(field, 'must be a Date, or milliseconds since the Unix epoch');
}
