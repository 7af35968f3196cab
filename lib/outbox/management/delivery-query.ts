import { isIdLike } from '../../common/index.js';
import type { DeliveryStatus } from '../../delivery/index.js';
import { InvalidInputError } from '../../errors/index.js';
import type { OwnerScope } from '../../subscriber/index.js';
import type { LongWorkOptions } from '../../common/long-work.js';
import type { ReplaySummary } from './replay.js';

/** Which deliveries a page shows; what is left out does not matter. */
export interface DeliveryQuery {
  /** Id of a subscriber. */
  readonly subscriberId?: string;
  /** Id of a message. */
  readonly messageId?: string;
  readonly status?: DeliveryStatus;
  /** Name of an event. */
  readonly event?: string;
  /** Made at that time or later; milliseconds since the Unix epoch when it is a number. */
  readonly since?: Date | number;
  /** Made before that time. */
  readonly until?: Date | number;
  /** 1 to 1,000; default 50. */
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly after?: string | null;
}

/** How bulk verbs are run. */
export type ReplayOptions = LongWorkOptions<ReplaySummary>;

/** Options of {@link Deliveries.backfill}. */
export interface BackfillOptions extends ReplayOptions {
  /** Messages before that time; default now. */
  readonly until?: Date | number;
}

/** Options of {@link Deliveries.retryFailed}. */
export interface RetryFailedOptions extends ReplayOptions {
  /** Id of the subscriber. */
  readonly subscriberId: string;
  /** Deliveries made at that time or later; milliseconds since the Unix epoch when it is a number. */
  readonly since: Date | number;
  /** Deliveries made before that time; default now. */
  readonly until?: Date | number;
}

/** Most deliveries that one page holds. */
export const MAX_DELIVERIES = 1000;

const STATUSES: readonly unknown[] = ['pending', 'succeeded', 'failed'] satisfies DeliveryStatus[];
const QUERY: readonly string[] = [
  ...['subscriberId', 'messageId', 'status', 'event', 'since', 'until', 'limit', 'after'],
];
/** @throws {@link InvalidInputError} naming the field */
export function checkListQuery(query: DeliveryQuery): void {
  for (const name of Object.keys(query)) {
    if (!QUERY.includes(name)) {
      throw new InvalidInputError(name, `is unknown; known are ${QUERY.join(', ')}`);
    }
  }
  const { messageId, status, event, since, until, limit = 1, after = null } = query;
  if (messageId !== undefined && !isIdLike(messageId)) {
    throw new InvalidInputError('messageId', 'must be the id of a message');
  }
  if (status !== undefined && !STATUSES.includes(status)) {
    throw new InvalidInputError('status', `must be one of ${STATUSES.join(', ')}`);
  }
  if (event !== undefined && !(typeof event === 'string' && /^[\x21-\x7e]{1,256}$/.test(event))) {
    throw new InvalidInputError('event', 'must be the name of an event');
  }
  if (since !== undefined) checkTime('since', since);
  if (until !== undefined) checkTime('until', until);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_DELIVERIES) {
    throw new InvalidInputError('limit', `must be a whole number from 1 to ${MAX_DELIVERIES}`);
  }
  if (after !== null && !isIdLike(after)) {
    throw new InvalidInputError('after', 'must be the "next" of an earlier page');
  }
}

/**
 * @param now what `until` is by default; what happens in this very millisecond is included
 * @throws {@link InvalidInputError} naming the field
 */
export function checkBulkOptions(
  options: ReplayOptions & { readonly since: Date | number; readonly until?: Date | number },
  now: number,
): { readonly since: number; readonly until: number } {
  const { since, until = now + 1, dryRun = false, after = null } = options;
  checkTime('since', since);
  checkTime('until', until);
  if (typeof dryRun !== 'boolean') throw new InvalidInputError('dryRun', 'must be true or false');
  if (after !== null && typeof after !== 'string') {
    throw new InvalidInputError('after', 'must be the "next" of an earlier call');
  }
  return { since: timeFrom(since), until: timeFrom(until) };
}

/** @throws {@link InvalidInputError} when nobody has said whose deliveries are meant */
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

/** Milliseconds since the Unix epoch. */
export function timeFrom(moment: Date | number): number {
  return typeof moment === 'number' ? moment : moment.getTime();
}

function checkTime(field: string, moment: unknown): void {
  const isMoment = typeof moment === 'number' || moment instanceof Date;
  if (isMoment && Number.isFinite(timeFrom(moment))) return;
  throw new InvalidInputError(field, 'must be a Date, or milliseconds since the Unix epoch');
}
