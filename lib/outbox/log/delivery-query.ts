import { isIdLike } from '../../common/index.js';
import type { DeliveryStatus } from '../../delivery/index.js';
import { InvalidInputError } from '../../errors/index.js';
import { checkPattern } from '../../subscriber/index.js';
import { isSubject, SUBJECT_RULE } from '../../message/index.js';
import { checkKnownFields } from '../../common/option-checks.js';
import { checkLongWork, type LongWorkOptions } from '../../common/long-work.js';
import type { ReplaySummary } from '../retry/replay.js';
import { checkPosition } from '../tables/keys.js';

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
  /**
   * What the message is about, as the option `subject` of its event says it: the whole text of 1 to 255 characters. Capital letters
   * matter. A message whose body was dropped has none. Default: any.
   */
  readonly subject?: string;
  /** Only of messages from this time on. A number is in milliseconds since the Unix epoch. Default: from the first. */
  readonly since?: Date | number;
  /** Only of messages from before this time. A number is as in `since`. Default: up to the last. */
  readonly until?: Date | number;
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
  ...['deliveryId', 'subscriberId', 'messageId', 'status', 'event', 'subject'],
  ...['since', 'until', 'limit', 'after'],
];
const BULK: readonly string[] = ['subscriberId', 'since', 'until', 'events'];
/** The latest time of a `Date`, as ECMAScript says. */
const LATEST_TIME = 8_640_000_000_000_000;

/** Checks the filter of a page. @throws {@link InvalidInputError} naming the field */
export function checkListQuery(query: DeliveryQuery): void {
  checkKnownFields(query, QUERY);
  const { deliveryId, messageId, status, event, subject } = query;
  const { since, until, limit = 1, after = null } = query;
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
  if (subject !== undefined && !isSubject(subject)) {
    throw new InvalidInputError('subject', SUBJECT_RULE);
  }
  if (since !== undefined) checkTime('since', since);
  if (until !== undefined) checkTime('until', until);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_DELIVERIES) {
    throw new InvalidInputError('limit', `must be a whole number from 1 to ${MAX_DELIVERIES}`);
  }
  checkPosition(after, 'page');
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
