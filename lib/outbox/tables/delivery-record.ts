import { timeFromId } from '../../common/id.js';
import { idFrom, type PairColumns, pairOf } from './keys.js';
import type { AttemptRecord, DeliveryStatus, FailureReason } from '../../delivery/index.js';
import type { DeliveryRow, TableNames } from './table-names.js';
import { NOT_DUE, stateOf } from '../delivery-states.js';

/**
 * The answer to the latest attempt of a delivery. `timeout`: none in time. `error`: none for another reason. `none`: no
 * attempt yet, or an attempt that the log has not kept.
 */
export type AnswerClass = '2xx' | '3xx' | '4xx' | '5xx' | 'timeout' | 'error' | 'none';

/** All classes of answers. */
export const ANSWER_CLASSES: readonly AnswerClass[] = [
  ...(['2xx', '3xx', '4xx', '5xx'] as const),
  ...(['timeout', 'error', 'none'] as const),
];

/** Finds the class of an answer. @param isSucceeded true: the delivery has succeeded, whatever is kept of its attempt */
export function answerClassOf(
  status: number | null,
  errorCode: string | null,
  isSucceeded = false,
): AnswerClass {
  if (isSucceeded) return '2xx';
  if (errorCode !== null) return errorCode === 'timeout' ? 'timeout' : 'error';
  if (status === null) return 'none';
  const hundreds = Math.floor(status / 100);
  return hundreds >= 2 && hundreds <= 5 ? (`${hundreds}xx` as AnswerClass) : 'error';
}

/** One delivery in the log. Times are milliseconds since the Unix epoch. */
export interface DeliveryRecord {
  /** `dlv_…`, sent as `Hook-Delivery`. */
  readonly id: string;
  /** Id of the message, sent as `webhook-id`. */
  readonly messageId: string;
  /** Id of the subscriber, sent as `Hook-Subscription`. */
  readonly subscriberId: string;
  readonly event: string;
  readonly status: DeliveryStatus;
  /** The reason of a failed delivery; null otherwise. */
  readonly reason: FailureReason | null;
  /** The number of requests made. */
  readonly attemptCount: number;
  /** The status of the answer to the latest attempt; null without an answer, and when the log has not kept the attempt. */
  readonly latestStatus: number | null;
  /** The kind of that answer. */
  readonly statusClass: AnswerClass;
  /**
   * The earliest time of the next attempt; null once the delivery is finished, while a worker holds it, and while it waits
   * for an earlier one of its key. While the host takes nothing, the time at which a worker looks at the delivery again.
   */
  readonly nextAt: number | null;
  /** True when the delivery waits for the subscriber's rate limit; `nextAt` is then when it asks for its time. */
  readonly rateLimited: boolean;
  /** True while the delivery waits for an earlier one of its key. */
  readonly blocked: boolean;
  /** True while the delivery, which has failed for good, keeps later ones of its key from going. */
  readonly holding: boolean;
  /** The time of the message. */
  readonly createdAt: number;
  /** The time at which the latest attempt began; null before the first attempt. */
  readonly attemptedAt: number | null;
  readonly finishedAt: number | null;
}

/** A delivery with its attempts, oldest first. */
export interface DeliveryDetails extends DeliveryRecord {
  /** The delivery of its key whose end it waits for; null unless it is `blocked`, and until the next one begins. */
  readonly blockedBy: string | null;
  /** True once the body of its message was dropped: nothing is left to send, so it cannot be retried. */
  readonly expunged: boolean;
  readonly attempts: readonly AttemptRecord[];
}

/** Counts of outstanding work. A message counts until each of its deliveries has had its first attempt. */
export interface DeliveryStats {
  /** Deliveries that wait for another attempt, including those under way. */
  readonly pending: number;
  /** Pending deliveries that are due but not held by a worker. */
  readonly due: number;
  /** Pending deliveries that a worker holds. */
  readonly leased: number;
  /** Pending deliveries that wait for the subscriber's rate limit. They are not late. */
  readonly rateLimited: number;
  /** Pending deliveries that wait for an earlier one of their key. They are not late. */
  readonly blocked: number;
  /** Failed deliveries that keep later ones of their key from going. */
  readonly holding: number;
  /** Failed deliveries in the log. */
  readonly failed: number;
  /** Messages that still need a first attempt. */
  readonly pendingMessages: number;
  /** Pending messages that are due but not held by a worker: a worker crashed, or no worker runs. */
  readonly dueMessages: number;
  /** The due time of the oldest due delivery or message without a holder, or null. */
  readonly oldestDue: number | null;
  /** Id of the delivery that was due at `oldestDue`; null for a message that has no deliveries yet. */
  readonly oldestDelivery: string | null;
  /** Milliseconds since `oldestDue`; 0 when nothing is due. Alert on this value. */
  readonly lag: number;
}

/** A finished delivery that may be retried. */
export interface Candidate {
  readonly id: string;
  readonly messageId: string;
  readonly subscriberId: string;
  readonly event: string;
  readonly isExpunged: boolean;
}

/** A row with {@link deliveryColumns}. */
export type DeliveryColumns = Pick<
  DeliveryRow,
  'id' | 'event' | 'status' | 'reason' | 'requests' | 'lease' | 'due_at' | 'finished_at'
> &
  Pick<DeliveryRow, 'key_hash' | 'queue_position' | 'attempted_at' | 'started_at'> &
  PairColumns & {
    readonly latest_status: DeliveryRow['response_status'];
    readonly latest_error: DeliveryRow['error_code'];
    readonly queued_until: number | string | null;
  };

/** The columns that {@link parseDeliveryRow} reads, of deliveries `d`. */
export function deliveryColumns(tables: TableNames): string {
  return `d.id, d.message_id, d.subscriber_id, d.given_message_id, d.given_subscriber_id, d.event, d.status, d.reason, d.requests, d.lease, d.due_at, (SELECT l.queued_until FROM ${tables.rateLimits} l WHERE l.subscriber_id = d.subscriber_id) AS queued_until, d.key_hash, d.queue_position, d.attempted_at, d.started_at, d.finished_at, ${latestOf(tables, 'status')} AS latest_status, ${latestOf(tables, 'error_code')} AS latest_error`;
}

/**
 * A column of the latest attempt: in the row of the delivery while that is the first, else looked up by its key. A join
 * would let the planner go through all attempts.
 */
export function latestOf({ attempts }: TableNames, column: 'status' | 'error_code'): string {
  const first = column === 'status' ? 'response_status' : column;
  return `CASE WHEN d.requests > 1 THEN (SELECT a.${column} FROM ${attempts} a WHERE a.delivery_id = d.id AND a.number = d.requests) ELSE d.${first} END`;
}

/** @internal */
export function parseDeliveryRow(row: DeliveryColumns): DeliveryRecord {
  const id = idFrom('dlv_', row.id, null);
  const state = stateOf(row);
  const isFree = row.lease === null;
  const nextAt = isFree ? dueTimeOf(row.due_at) : null;
  const latestStatus = timeOf(row.latest_status);
  return {
    id,
    ...pairOf(row),
    event: row.event,
    status: row.status as DeliveryStatus,
    reason: row.reason as FailureReason | null,
    attemptCount: Number(row.requests),
    latestStatus,
    statusClass: answerClassOf(latestStatus, row.latest_error, row.status === 'succeeded'),
    nextAt,
    rateLimited: nextAt !== null && nextAt <= Number(row.queued_until),
    blocked: state === 'blocked',
    holding: state === 'holding',
    createdAt: timeFromId(id),
    attemptedAt: latestStart(row),
    finishedAt: timeOf(row.finished_at),
  };
}

function dueTimeOf(value: unknown): number | null {
  const time = timeOf(value);
  return time === NOT_DUE ? null : time;
}

/** Returns the start of the latest attempt of a delivery's row; null before the first. */
export function latestStart(row: Pick<DeliveryRow, 'attempted_at' | 'started_at'>): number | null {
  return timeOf(row.attempted_at ?? row.started_at);
}

/** A row of a {@link Candidate}. */
export type CandidateRow = Pick<DeliveryRow, 'id' | 'event'> &
  PairColumns & { readonly is_expunged: number };

/** @internal */
export function parseCandidateRow(row: CandidateRow): Candidate {
  return {
    id: idFrom('dlv_', row.id, null),
    ...pairOf(row),
    event: row.event,
    isExpunged: Number(row.is_expunged) === 1,
  };
}

function timeOf(value: unknown): number | null {
  return value === null ? null : Number(value);
}
