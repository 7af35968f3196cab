import { timeFromId } from '../../common/id.js';
import type {
  AttemptErrorCode,
  AttemptRecord,
  DeliveryStatus,
  FailureReason,
} from '../../delivery/index.js';
import type { Row } from '../database/outbox-database.js';

/** One delivery, as the log tells of it. Times are milliseconds since the Unix epoch. */
export interface DeliveryRecord {
  /** `dlv_…`, sent as `Hook-Delivery`. */
  readonly id: string;
  /** Id of the message, sent as `webhook-id`. */
  readonly messageId: string;
  /** Id of the subscriber, sent as `Hook-Subscription`. */
  readonly subscriberId: string;
  readonly event: string;
  readonly status: DeliveryStatus;
  /** Why it failed; null unless it did. */
  readonly reason: FailureReason | null;
  /** Requests made. */
  readonly attemptCount: number;
  /** When it is tried again; null once it is finished, and while an attempt is under way. */
  readonly nextAt: number | null;
  /** Whether it waits for nothing but the rate limit of its subscriber; `nextAt` is then when its turn is expected. */
  readonly rateLimited: boolean;
  /** When it was made, which is when its first attempt was due. */
  readonly createdAt: number;
  /** When its latest attempt began; null when there was none yet. */
  readonly attemptedAt: number | null;
  readonly finishedAt: number | null;
}

/** A delivery with its attempts, oldest first. */
export interface DeliveryDetails extends DeliveryRecord {
  readonly attempts: readonly AttemptRecord[];
}

/** How much there is to do. Messages are counted until each of their deliveries has had its first attempt. */
export interface DeliveryStats {
  /** Deliveries that wait for another attempt, those under way included. */
  readonly pending: number;
  /** Of them those that nobody holds although their time has come. */
  readonly due: number;
  /** Of them those that a worker holds. */
  readonly leased: number;
  /** Of `pending` those that wait for the rate limit of their subscriber. No work is late because of it. */
  readonly rateLimited: number;
  /** Failed deliveries in the log. */
  readonly failed: number;
  /** Messages that are not through yet. */
  readonly pendingMessages: number;
  /** Of them those that nobody holds: a worker died, or there is none. */
  readonly dueMessages: number;
  /** Since when the oldest delivery or message that nobody holds has been due, or null. */
  readonly oldestDue: number | null;
  /** Milliseconds since then; 0 when there is none. What to alert on. */
  readonly lag: number;
}

/** A finished delivery that may be tried again. */
export interface Candidate {
  readonly id: string;
  readonly messageId: string;
  readonly subscriberId: string;
  readonly isExpunged: boolean;
}

/** @internal */
export function deliveryOf(row: Row): DeliveryRecord {
  const isFree = row['lease'] === null;
  const turnAt = isFree ? timeOf(row['turn_at']) : null;
  return {
    id: row['id'] as string,
    messageId: row['message_id'] as string,
    subscriberId: row['subscriber_id'] as string,
    event: row['event'] as string,
    status: row['status'] as DeliveryStatus,
    reason: row['reason'] as FailureReason | null,
    attemptCount: Number(row['requests']),
    nextAt: turnAt ?? (isFree ? timeOf(row['due_at']) : null),
    rateLimited: turnAt !== null,
    createdAt: timeFromId(row['id'] as string) ?? Number(row['created_at']),
    attemptedAt: timeOf(row['attempted_at']),
    finishedAt: timeOf(row['finished_at']),
  };
}

/** @internal */
export function attemptOf(row: Row): AttemptRecord {
  const code = row['error_code'] as AttemptErrorCode | null;
  return {
    number: Number(row['number']),
    startedAt: Number(row['started_at']),
    duration: Number(row['duration']),
    status: timeOf(row['status']),
    error: code === null ? null : { code, message: (row['error_message'] as string | null) ?? '' },
    response: row['answer'] as string | null,
    address: row['address'] as string | null,
  };
}

/** @internal */
export function candidateOf(row: Row): Candidate {
  return {
    id: row['id'] as string,
    messageId: row['message_id'] as string,
    subscriberId: row['subscriber_id'] as string,
    isExpunged: Number(row['is_expunged']) === 1,
  };
}

function timeOf(value: unknown): number | null {
  return value === null ? null : Number(value);
}
