import { BulkStatement } from '../../database/bulk-statement.js';
import {
  type Columns,
  type Dialect,
  idRows,
  type Select,
  select,
  type Write,
  write,
} from '../../database/dialect.js';
import { kindsOf, type NewRowOf } from '../../database/schema/table-definition.js';
import { OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';
import type { FailureReason } from '../../delivery/index.js';
import { isOpenTo, MAX_THROTTLED, NOT_DUE, OVER } from '../delivery-states.js';
import { DROPPED, FIRST_ATTEMPT, hasAnswer, hasAnswers } from './attempts.js';
import { latestStart } from './delivery-record.js';
import {
  FIRST_KEY,
  givenId,
  idFrom,
  isOfMessages,
  keyOf,
  type MessageCursor,
  type PairColumns,
  pairOf,
} from './keys.js';
import type { NewLease } from './leases.js';
import type { DeliveryRow, Target } from './table-names.js';

// The statements on `thorn_deliveries` that claim, insert, change and delete deliveries, and the SELECTs that belong to
// them. Each says the index that serves it; `npm run explain` prints their plans.

/** A host, and the number of its deliveries that a claim may take. */
export interface HostShare {
  readonly host: string;
  readonly limit: number;
}

/** A delivery that this process has claimed. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly messageId: string;
  readonly subscriberId: string;
  readonly host: string;
  readonly attempts: number;
  readonly throttled: number;
  readonly requests: number;
  readonly attemptedAt: number | null;
  /** A hash of the message's key when the delivery is ordered, else null. */
  readonly keyHash: string | null;
  /** Why it has failed for good, when it has held its key since; else null. */
  readonly reason: FailureReason | null;
}

/** The unfinished deliveries of the messages of one key to one subscriber; both as they are in the table. */
export interface KeyQueue {
  readonly keyHash: string;
  readonly subscriberId: string;
}

/** A delivery that enters the queue of its key, as a row of the table. */
export interface EnteringRow extends Pick<
  NewRowOf<typeof OUTBOX_TABLES.deliveries>,
  'id' | 'message_id' | 'subscriber_id' | 'given_message_id' | 'given_subscriber_id' | 'event'
> {
  readonly host: string;
  readonly key_hash: string;
  readonly sequence: number;
  /** The token of the message's lease. */
  readonly held_by: string;
  /** This and the following are set when it is known whether the delivery has its turn. */
  queue_position: number;
  due_at: number;
  lease: string | null;
}

/** The key and the number of a message. */
export interface MessageOrder {
  readonly keyHash: string;
  readonly sequence: number;
}

/** A delivery that is created or made due on request. */
export interface RequeuedDelivery {
  readonly id: string;
  readonly host: string;
  readonly dueAt: number;
  /** The position of the message in the queue of its key; null when the subscriber is not ordered, or the message has no key. */
  readonly order: MessageOrder | null;
}

/** A delivery of a message that the subscriber has missed. */
export interface BackfilledDelivery extends RequeuedDelivery {
  readonly messageId: string;
  readonly subscriberId: string;
  readonly event: string;
}

/** How waiting deliveries end. */
export interface Ending {
  readonly reason: FailureReason;
  readonly now: number;
}

/** Subscribers that one statement looks for: MariaDB ends a recursion after 1,000 without a word, MySQL with an error. */
export const SUBSCRIBERS_AT_ONCE = 100;

/** Milliseconds before and after a host is well again: what failed and would be tried again in between goes at once. */
const SOON = 10 * 60_000;

const TABLE = OUTBOX_TABLES.deliveries;
const SHARES: Columns = { host: 'text', share: 'int' };
const FAILED: Columns = kindsOf(TABLE, ['id', 'reason', 'finished_at']);
const QUEUES: Columns = { number: 'int', key_hash: 'uuid', subscriber_id: 'uuid' };
const KEYS: Columns = { key_hash: 'uuid', last_id: 'uuid' };
const ENTERING: Columns = {
  ...kindsOf(TABLE, [
    ...(['id', 'message_id', 'subscriber_id', 'given_message_id', 'given_subscriber_id'] as const),
    ...(['event', 'host', 'key_hash', 'queue_position', 'due_at', 'lease'] as const),
  ]),
  held_by: 'text',
};
const REQUEUED: Columns = kindsOf(TABLE, ['id', 'host', 'due_at', 'key_hash', 'queue_position']);
const LATE: Columns = {
  ...REQUEUED,
  ...kindsOf(TABLE, [
    ...(['message_id', 'subscriber_id', 'given_message_id', 'given_subscriber_id'] as const),
    'event',
  ]),
};

/** The columns that {@link parseClaimedRow} reads. */
const CLAIMED = [
  ...(['id', 'message_id', 'subscriber_id', 'given_message_id', 'given_subscriber_id'] as const),
  ...(['host', 'attempts', 'throttled', 'requests', 'attempted_at', 'started_at'] as const),
  ...(['key_hash', 'reason'] as const),
] as const;

type ClaimedRow = Pick<DeliveryRow, (typeof CLAIMED)[number]>;
type Id = Pick<DeliveryRow, 'id'>;

/** A row of {@link selectTurns}. `head` and `earliest` are positions, `held` is a time. */
type TurnRow = Readonly<Record<'number', number>> &
  Readonly<Record<'head' | 'earliest' | 'held', number | string | null>>;

type QueueRow = Pick<DeliveryRow, 'key_hash' | 'id' | 'queue_position' | 'status'> & PairColumns;

type KeyQueueRow = Pick<DeliveryRow, 'key_hash' | 'subscriber_id'> &
  Readonly<Record<'number' | 'waits', number>>;

/** Ends a delivery without an attempt, and takes it out of the indexes of deliveries that wait. */
const ENDS = [
  "status = 'failed'",
  'host = NULL',
  'due_at = NULL',
  'key_hash = NULL',
  'queue_position = NULL',
];

/** True of a delivery that is reopened and has to wait for its turn: whatever is ordered and does not have it. */
const WAITS = 'r.key_hash IS NOT NULL AND COALESCE(t.queue_position, 1) > 0';

// ── When and where is something due? ────────────────────────────────────────────────────────────────────────────────────

/** The time of the next delivery, and of the next message. Index: (due_at) of both tables. */
export function selectNextDue({
  tables,
}: Target): Select<Readonly<Record<'delivery' | 'message', number | string | null>>> {
  // MIN would make MySQL read every row that is not null.
  const next = (table: string) =>
    `SELECT due_at FROM ${table} WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1`;
  return select(
    `SELECT (${next(tables.deliveries)}) AS delivery, (${next(tables.pendingMessages)}) AS message`,
    [],
  );
}

/**
 * Hosts behind `after` and the due time of their first delivery, by a loose index scan: each host costs one step, however
 * many rows it has. MySQL does so for a GROUP BY. The other databases cannot, so each step selects the smallest host behind
 * the previous one. Index: (host, due_at).
 */
export function selectFirstDues(
  { dialect, tables: { deliveries } }: Target,
  after: string,
  limit: number,
): Select<{ readonly host: string; readonly first_due: number | string }> {
  const parameters = [after, limit];
  if (dialect.name === 'mysql') {
    const sql = `SELECT host, MIN(due_at) AS first_due FROM ${deliveries} WHERE host > ? GROUP BY host ORDER BY host LIMIT ?`;
    return select(sql, parameters);
  }
  return select(
    `WITH RECURSIVE hosts(host, step) AS (
    SELECT (SELECT MIN(host) FROM ${deliveries} WHERE host > ?), 1
    UNION ALL
    SELECT (SELECT MIN(d.host) FROM ${deliveries} d WHERE d.host > hosts.host), step + 1 FROM hosts
    WHERE hosts.host IS NOT NULL AND step < ?
  )
  SELECT host, (SELECT MIN(d.due_at) FROM ${deliveries} d WHERE d.host = hosts.host) AS first_due
  FROM hosts WHERE host IS NOT NULL ORDER BY host`,
    parameters,
  );
}

// ── claim ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Claims due deliveries, up to the share of each host, and returns them; on databases whose UPDATE can return rows.
 * Index: (host, due_at), then the primary key.
 */
export function claimDue(
  target: Target,
  shares: readonly HostShare[],
  { token, leasedUntil }: NewLease,
  now: number,
): Select<ClaimedRow> {
  const { dialect, tables } = target;
  const returned = `RETURNING ${CLAIMED.join(', ')}`;
  if (dialect.name !== 'postgres') {
    const due = selectDue(target, shares, now, ['id']);
    return select(
      `UPDATE ${tables.deliveries} SET lease = ?, due_at = ? WHERE id IN (${due.sql}) ${returned}`,
      [token, leasedUntil, ...due.parameters],
    );
  }
  const hosts = dialect.rows('h', SHARES);
  // Row-value comparisons keep PostgreSQL from scanning the due rows of all hosts. The array keeps PostgreSQL from
  // scanning the table, since the planner cannot estimate the number of ids. For a LIMIT from a column, the planner
  // assumes a tenth of the table; the inner constant LIMIT, which never applies, prevents JIT compilation for a
  // million rows.
  return select(
    `WITH picked AS (SELECT d.id FROM ${hosts} CROSS JOIN LATERAL (SELECT id FROM (SELECT id FROM ${tables.deliveries} WHERE host IS NOT NULL AND (host, due_at) >= (h.host, 0) AND (host, due_at) <= (h.host, ?) ORDER BY host, due_at LIMIT ? FOR UPDATE SKIP LOCKED) l LIMIT h.share) d) UPDATE ${tables.deliveries} SET lease = ?, due_at = ? WHERE id = ANY(ARRAY(SELECT id FROM picked)) ${returned}`,
    [
      dialect.rowsParameter(
        SHARES,
        shares.map(({ host, limit }) => ({ host, share: limit })),
      ),
      now,
      Math.max(...shares.map(({ limit }) => limit)),
      token,
      leasedUntil,
    ],
  );
}

/** The deliveries that {@link claimDue} would take, locked where the database can. Index: (host, due_at). */
export function selectDue(
  { dialect, tables }: Target,
  shares: readonly HostShare[],
  now: number,
  names: readonly string[] = CLAIMED,
): Select<ClaimedRow> {
  const columns = names.join(', ');
  const ofHost = `SELECT ${columns} FROM (SELECT ${columns} FROM ${tables.deliveries} WHERE host = ? AND due_at <= ? ORDER BY due_at LIMIT ? ${dialect.skipLocked}) AS w`;
  return select(
    shares.map(() => ofHost).join(' UNION ALL '),
    shares.flatMap(({ host, limit }) => [host, now, limit]),
  );
}

/** Reads a row of a claim. */
export function parseClaimedRow(row: ClaimedRow): ClaimedDelivery {
  return {
    id: idFrom('dlv_', row.id, null),
    ...pairOf(row),
    host: row.host!,
    attempts: Number(row.attempts),
    throttled: Number(row.throttled),
    requests: Number(row.requests),
    attemptedAt: latestStart(row),
    keyHash: row.key_hash,
    reason: row.reason as FailureReason | null,
  };
}

// ── failWaiting, cancel ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Deliveries of a subscriber that wait, locked. What a worker holds is left to it. Index: (subscriber_id, due_at). */
export function selectWaitingOf(
  { dialect, tables }: Target,
  subscriberId: string,
  limit: number,
): Select<Id> {
  return select(
    `SELECT id FROM ${tables.deliveries} WHERE subscriber_id = ? AND ${isOpenTo('failWaiting')} LIMIT ${limit} ${dialect.skipLocked}`,
    [keyOf('sub_', subscriberId)],
  );
}

/** Fails deliveries that nobody holds. Index: the primary key. */
export function failById(
  { dialect, tables }: Target,
  ids: readonly unknown[],
  { reason, now }: Ending,
): Write {
  const failed = ids.map((id) => ({ id, reason, finished_at: now }));
  return write(
    dialect.updateFrom(
      tables.deliveries,
      [...ENDS, 'reason = r.reason', 'finished_at = r.finished_at'],
      dialect.rows('r', FAILED),
      't.id = r.id AND t.lease IS NULL',
    ),
    [dialect.rowsParameter(FAILED, failed)],
  );
}

/** Cancels a delivery that waits, or holds its key. Index: the primary key. */
export function cancelById({ tables }: Target, id: string, now: number): Write {
  return write(
    `UPDATE ${tables.deliveries} SET ${ENDS.join(', ')}, reason = 'cancelled', finished_at = ? WHERE id = ? AND ${isOpenTo('cancel')}`,
    [now, keyOf('dlv_', id)],
  );
}

// ── bringForward, dissolve ────────────────────────────────────────────────────────────────────────────────────

/**
 * Deliveries that failed a short time ago without an answer, or with one that says that the host is away (502, 503, 504),
 * and would be tried again soon, locked. Index: (host, due_at).
 *
 * @param begunBy the latest start of such an attempt
 */
export function selectRetriesSoonDue(
  { dialect, tables }: Target,
  host: string,
  now: number,
  begunBy: number,
  limit: number,
): Select<Id> {
  return select(
    `SELECT id FROM ${tables.deliveries} WHERE host = ? AND due_at > ? AND due_at <= ? AND status = 'pending' AND lease IS NULL AND (response_status IS NULL OR response_status IN (502, 503, 504)) AND attempts > 0 AND throttled < ${MAX_THROTTLED} AND COALESCE(attempted_at, started_at) >= ? AND COALESCE(attempted_at, started_at) <= ? LIMIT ${limit} ${dialect.skipLocked}`,
    [host, now, now + SOON, now - SOON, begunBy],
  );
}

/** Makes retries due, whose last attempt counts no more. Index: the primary key. */
export function bringForwardById({ tables }: Target, ids: readonly string[], now: number): Write {
  return write(
    `UPDATE ${tables.deliveries} SET due_at = ?, attempts = attempts - 1, throttled = throttled + 1 WHERE lease IS NULL AND due_at > ? AND ${among(ids)}`,
    [now, now, ...ids],
  );
}

/** Deliveries of a subscriber that wait for their turn, locked. Index: (subscriber_id, due_at). */
export function selectBlockedOf(
  { dialect, tables }: Target,
  subscriberId: string,
  limit: number,
): Select<Id> {
  return select(
    `SELECT id FROM ${tables.deliveries} WHERE subscriber_id = ? AND due_at = ${NOT_DUE} AND ${isOpenTo('dissolve')} LIMIT ${limit} ${dialect.skipLocked}`,
    [keyOf('sub_', subscriberId)],
  );
}

/** Makes deliveries due that waited for their turn, and takes them out of their queues. Index: the primary key. */
export function dissolveById({ tables }: Target, ids: readonly string[], now: number): Write {
  return write(
    `UPDATE ${tables.deliveries} SET due_at = ?, key_hash = NULL, queue_position = NULL WHERE ${isOpenTo('dissolve')} AND ${among(ids)}`,
    [now, ...ids],
  );
}

function among(ids: readonly string[]): string {
  return `id IN (${ids.map(() => '?').join(', ')})`;
}

// ── enterQueues ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Of the first row of each queue: the delivery whose turn it is, the earliest message of the key that has no deliveries yet,
 * and whether a bulk operation is under way for the subscriber. Index: (key_hash, subscriber_id, queue_position);
 * (key_hash, sequence) of pending messages; the primary key of bulk operations.
 */
export function selectTurns(
  { dialect, tables: { deliveries, pendingMessages, bulkOperations } }: Target,
  firsts: readonly EnteringRow[],
  now: number,
): Select<TurnRow> {
  return select(
    `SELECT r.number, (SELECT d.queue_position FROM ${deliveries} d WHERE d.key_hash = r.key_hash AND d.subscriber_id = r.subscriber_id ORDER BY d.queue_position LIMIT 1) AS head, (SELECT p.sequence FROM ${pendingMessages} p WHERE p.key_hash = r.key_hash ORDER BY p.sequence LIMIT 1) AS earliest, (SELECT MAX(b.expires_at) FROM ${bulkOperations} b WHERE b.subscriber_id = r.subscriber_id AND b.expires_at > ?) AS held FROM ${dialect.rows('r', QUEUES)}`,
    [
      now,
      dialect.rowsParameter(
        QUEUES,
        firsts.map((row, number) => ({ ...row, number })),
      ),
    ],
  );
}

/**
 * Writes ordered deliveries, as long as their messages are held. Returns the ids where the database can. Index: the primary
 * keys of pending messages and of deliveries.
 */
export function insertEntering(
  { dialect, tables: { deliveries, pendingMessages } }: Target,
  rows: readonly EnteringRow[],
): Select<Id> | Write {
  const names = Object.keys(ENTERING).slice(0, -1);
  return (dialect.returns ? select<Id> : write)(
    // A conflict over a position has to fail, so that it is looked at again: no ON CONFLICT.
    `INSERT INTO ${deliveries} (${names.join(', ')}, status, attempts, throttled, requests) SELECT ${names.map((name) => `r.${name}`).join(', ')}, 'pending', 0, 0, 0 FROM ${dialect.rows('r', ENTERING)} ${dialect.join} ${pendingMessages} p ON p.id = r.message_id WHERE p.lease = r.held_by AND NOT EXISTS (SELECT 1 FROM ${deliveries} k WHERE k.id = r.id)${dialect.returns ? ' RETURNING id' : ''}`,
    [dialect.rowsParameter(ENTERING, rows)],
  );
}

/** Selects the deliveries that carry a token, among those named. Index: the primary key. */
export function selectLeased(
  { dialect, tables }: Target,
  ids: readonly unknown[],
  token: string,
): Select<Id> {
  const { rows, parameter } = idRows(dialect, ids);
  return select(
    `SELECT t.id FROM ${rows} ${dialect.join} ${tables.deliveries} t ON t.id = r.id WHERE t.lease = ?`,
    [parameter, token],
  );
}

// ── giveTurns ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The first delivery of each queue that may have its turn: no other has it, no earlier message of the key is without
 * deliveries, and no bulk operation is under way for the subscriber. Index: (key_hash, subscriber_id, queue_position), then
 * the primary key; (key_hash, sequence) of pending messages; the primary key of bulk operations.
 */
export function selectHeads(
  { dialect, tables: { deliveries, pendingMessages, bulkOperations } }: Target,
  queues: readonly KeyQueue[],
  now: number,
): Select<ClaimedRow> {
  const columns = CLAIMED.map((name) => `h.${name}`);
  return select(
    `SELECT ${columns.join(', ')} FROM (SELECT (SELECT d.id FROM ${deliveries} d WHERE d.key_hash = r.key_hash AND d.subscriber_id = r.subscriber_id ORDER BY d.queue_position LIMIT 1) AS head FROM ${dialect.rows('r', QUEUES)}) x ${dialect.join} ${deliveries} h ON h.id = x.head
        WHERE h.queue_position > 0 AND NOT EXISTS (SELECT 1 FROM ${pendingMessages} p WHERE p.key_hash = h.key_hash AND p.sequence < h.queue_position)
        AND NOT EXISTS (SELECT 1 FROM ${bulkOperations} b WHERE b.subscriber_id = h.subscriber_id AND b.expires_at > ?)`,
    [
      dialect.rowsParameter(
        QUEUES,
        queues.map(({ keyHash, subscriberId }, number) => ({
          number,
          key_hash: keyHash,
          subscriber_id: subscriberId,
        })),
      ),
      now,
    ],
  );
}

/**
 * Gives deliveries their turn: leased, or due now. Returns the ids where the database can. Index: the primary key.
 *
 * @param lease null: any worker may claim them now
 */
export function giveTurnById(
  { dialect, tables }: Target,
  ids: readonly unknown[],
  lease: NewLease | null,
  now: number,
): Select<Id> | Write {
  const { rows, parameter } = idRows(dialect, ids);
  const [set, values] =
    lease === null
      ? [['due_at = ?'], [now]]
      : [
          ['due_at = ?', 'lease = ?'],
          [lease.leasedUntil, lease.token],
        ];
  const sql = dialect.updateFrom(
    tables.deliveries,
    ['queue_position = 0', ...set],
    rows,
    `t.id = r.id AND ${isOpenTo('giveTurns', 't.')}`,
  );
  // The id in RETURNING: PostgreSQL alone knows the alias.
  const id = dialect.name === 'postgres' ? 't.id' : 'id';
  return (dialect.returns ? select<Id> : write)(
    dialect.returns ? `${sql} RETURNING ${id}` : sql,
    setAndRows(dialect, values, parameter),
  );
}

/**
 * The next queues of keys: those in which a delivery waits, and the last one that was looked at. The cost of a queue does not
 * depend on its number of deliveries. Index: (key_hash, subscriber_id, queue_position).
 */
export function selectQueuesOfKeys(
  { dialect, tables: { deliveries } }: Target,
  keys: readonly Readonly<Record<'key_hash' | 'last_id', string>>[],
): Select<KeyQueueRow> {
  const next = (key: string, last: string) =>
    `(SELECT d.subscriber_id FROM ${deliveries} d WHERE d.key_hash = ${key} AND d.subscriber_id > ${last} ORDER BY d.subscriber_id LIMIT 1)`;
  return select(
    `WITH RECURSIVE s(key_hash, subscriber_id, number) AS (SELECT r.key_hash, ${next('r.key_hash', 'r.last_id')}, 1 FROM ${dialect.rows('r', KEYS)}
        UNION ALL SELECT s.key_hash, ${next('s.key_hash', 's.subscriber_id')}, s.number + 1 FROM s WHERE s.subscriber_id IS NOT NULL AND s.number < ${SUBSCRIBERS_AT_ONCE})
        SELECT q.* FROM (SELECT s.key_hash, s.subscriber_id, s.number, CASE WHEN (SELECT MAX(d.queue_position) FROM ${deliveries} d WHERE d.key_hash = s.key_hash AND d.subscriber_id = s.subscriber_id) > 0 THEN 1 ELSE 0 END AS waits FROM s WHERE s.subscriber_id IS NOT NULL) q
        WHERE q.waits = 1 OR q.number = ${SUBSCRIBERS_AT_ONCE}`,
    [dialect.rowsParameter(KEYS, keys)],
  );
}

/** Rows of queues behind one, in order. Index: (key_hash, subscriber_id, queue_position). */
export function selectQueuesBehind(
  { dialect, tables }: Target,
  { keyHash, subscriberId }: KeyQueue,
  limit: number,
): Select<QueueRow> {
  const isBehind =
    dialect.name === 'mysql'
      ? 'key_hash >= ? AND (key_hash > ? OR subscriber_id > ?)'
      : 'key_hash >= ? AND (key_hash, subscriber_id) > (?, ?)';
  return select(
    `SELECT key_hash, subscriber_id, id, message_id, given_message_id, given_subscriber_id, queue_position, status FROM ${tables.deliveries} WHERE key_hash IS NOT NULL AND ${isBehind} ORDER BY key_hash, subscriber_id, queue_position LIMIT ?`,
    [keyHash, keyHash, subscriberId, limit],
  );
}

/** The queues of a subscriber, by their keys. Index: (key_hash, subscriber_id, queue_position). */
export function selectQueuesOfSubscriber(
  { tables }: Target,
  subscriberId: string,
  after: string | null,
  limit: number,
): Select<Pick<DeliveryRow, 'key_hash' | 'subscriber_id'>> {
  return select(
    `SELECT DISTINCT key_hash, subscriber_id FROM ${tables.deliveries} WHERE key_hash IS NOT NULL AND key_hash > ? AND subscriber_id = ? AND queue_position > 0 ORDER BY key_hash LIMIT ${limit}`,
    [after ?? FIRST_KEY, subscriberId],
  );
}

/** Makes failed deliveries due that hold their key. Index: the primary key. */
export function endHoldById({ dialect, tables }: Target, ids: readonly string[], now: number) {
  const { rows, parameter } = idRows(
    dialect,
    ids.map((id) => keyOf('dlv_', id)),
  );
  const sql = dialect.updateFrom(
    tables.deliveries,
    ['due_at = ?'],
    rows,
    `t.id = r.id AND ${isOpenTo('endHolds', 't.')}`,
  );
  return write(sql, setAndRows(dialect, [now], parameter));
}

/** Reads the queue of a row that has a key. */
export function queueOf(row: Pick<DeliveryRow, 'key_hash' | 'subscriber_id'>): KeyQueue {
  return { keyHash: row.key_hash!, subscriberId: row.subscriber_id };
}

// ── record ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The columns of a delivery that is changed, and the token of its lease. */
export const CHANGED: Columns = {
  id: 'uuid',
  held_by: 'text',
  ...kindsOf(TABLE, [
    ...(['status', 'reason', 'attempts', 'throttled', 'requests', 'host'] as const),
    ...(['due_at', 'attempted_at', 'finished_at'] as const),
  ]),
};
/** The same with the first attempt. */
export const TRIED: Columns = { ...CHANGED, ...FIRST_ATTEMPT };
/** The columns of a delivery that has no row yet, and the token of its message's lease. */
export const NEW: Columns = {
  ...TRIED,
  ...kindsOf(TABLE, [
    ...(['message_id', 'subscriber_id', 'given_message_id', 'given_subscriber_id'] as const),
    'event',
  ]),
};

/** The values of a delivery that has succeeded at the first attempt, as most do. */
const USUALLY_NEW = {
  status: 'succeeded',
  reason: null,
  attempts: 1,
  throttled: 0,
  requests: 1,
  host: null,
  due_at: null,
  attempted_at: null,
  error_code: null,
  error_message: null,
  answer_headers: null,
  given_message_id: null,
  given_subscriber_id: null,
} satisfies Partial<NewRowOf<typeof TABLE>>;

// A finished delivery leaves the queue of its key.
const LEAVES_QUEUE = ['key_hash', 'queue_position'].map(
  (name) => `${name} = CASE WHEN r.due_at IS NULL THEN NULL ELSE t.${name} END`,
);

/** Inserts deliveries of messages that are held. Index: the primary keys of pending messages and of deliveries. */
export function insertOutcomes({ dialect, tables }: Target): BulkStatement {
  const names = written(NEW);
  return new BulkStatement(
    dialect,
    NEW,
    (rows) =>
      dialect.insertRarelyKnown(
        tables.deliveries,
        names,
        `SELECT ${names.map((name) => `r.${name}`).join(', ')} FROM ${rows} ${dialect.join} ${tables.pendingMessages} p ON p.id = r.message_id WHERE p.lease = r.held_by`,
      ),
    USUALLY_NEW,
  );
}

/**
 * Changes deliveries that are held, and ends their leases. Index: the primary key. @param columns {@link CHANGED}
 * or {@link TRIED}
 */
export function updateOutcomes({ dialect, tables }: Target, columns: Columns): BulkStatement {
  const changes = written(columns).slice(1);
  return new BulkStatement(dialect, columns, (rows) =>
    dialect.updateFrom(
      tables.deliveries,
      [...changes.map((name) => `${name} = r.${name}`), ...LEAVES_QUEUE, 'lease = NULL'],
      rows,
      't.id = r.id AND t.lease = r.held_by',
    ),
  );
}

/** The columns of the table: all but the token of the holder, which is compared alone. */
function written(columns: Columns): readonly string[] {
  return Object.keys(columns).filter((name) => name !== 'held_by');
}

/** Counts the deliveries of messages, by message. Index: the primary key. */
export function countByMessage(
  { tables }: Target,
  messages: readonly MessageCursor[],
): Select<Pick<DeliveryRow, 'message_id'> & { readonly deliveries: number | string }> {
  const { sql, parameters } = isOfMessages(messages);
  return select(
    `SELECT d.message_id, COUNT(*) AS deliveries FROM ${tables.deliveries} d WHERE ${sql} GROUP BY d.message_id`,
    parameters,
  );
}

/** The messages and subscribers of the deliveries of messages. Index: the primary key. */
export function selectPairsOf(
  { tables }: Target,
  messages: readonly MessageCursor[],
): Select<PairColumns> {
  const { sql, parameters } = isOfMessages(messages);
  return select(
    `SELECT d.message_id, d.subscriber_id, d.given_message_id, d.given_subscriber_id FROM ${tables.deliveries} d WHERE ${sql}`,
    parameters,
  );
}

// ── remove ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Deliveries of messages that are over since `before`, up to a limit. Index: the primary keys of deliveries and attempts.
 *
 * @param isAnswered true: only those of which an answer is stored
 */
export function selectOver(
  { tables }: Target,
  messages: readonly MessageCursor[],
  before: number,
  limit: number,
  isAnswered: boolean,
): Select<Id> {
  const { sql, parameters } = isOfMessages(messages);
  // No parameter for the limit: SQLite would prepare the statement again for its value.
  return select(
    `SELECT d.id FROM ${tables.deliveries} d WHERE ${sql} AND ${isOpenTo('remove', 'd.')} AND (d.finished_at IS NULL OR d.finished_at < ?)${isAnswered ? ` AND ${hasAnswers(tables)}` : ''} LIMIT ${limit}`,
    [...parameters, before],
  );
}

/** The messages that have a delivery which is not over since `before`. Index: the primary key. */
export function selectNotOver(
  { tables }: Target,
  messages: readonly MessageCursor[],
  before: number,
): Select<Pick<DeliveryRow, 'message_id'>> {
  const { sql, parameters } = isOfMessages(messages);
  return select(
    `SELECT DISTINCT d.message_id FROM ${tables.deliveries} d WHERE ${sql} AND (NOT (${isOpenTo('remove', 'd.')}) OR d.finished_at >= ?)`,
    [...parameters, before],
  );
}

/** Deletes deliveries that are over. Index: the primary key. */
export function deleteOver({ dialect, tables }: Target, keys: readonly string[]): Write {
  const { rows, parameter } = idRows(dialect, keys);
  const where = `t.id = r.id AND ${isOpenTo('remove', 't.')}`;
  return write(dialect.deleteFrom(tables.deliveries, rows, where), [parameter]);
}

/** Drops the answers to the first attempts of deliveries. Index: the primary key. */
export function dropFirstAnswers({ dialect, tables }: Target, keys: readonly string[]): Write {
  const { rows, parameter } = idRows(dialect, keys);
  const where = `t.id = r.id AND ${hasAnswer('t')}`;
  return write(dialect.updateFrom(tables.deliveries, DROPPED, rows, where), [parameter]);
}

// ── reopen, backfill ────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Makes deliveries due and resets their attempts. Deliveries that a worker holds, and deliveries without a body, are left
 * out. What is ordered waits for its turn. Index: the primary keys of deliveries and messages.
 *
 * @param isWaitingToo true brings waiting deliveries forward as well
 */
export function reopenById(
  { dialect, tables }: Target,
  deliveries: readonly RequeuedDelivery[],
  isWaitingToo: boolean,
): Write {
  return write(
    dialect.updateFrom(
      tables.deliveries,
      [
        "status = 'pending'",
        'reason = NULL',
        'attempts = 0',
        'throttled = 0',
        'host = r.host',
        `due_at = CASE WHEN ${WAITS} THEN ${NOT_DUE} ELSE r.due_at END`,
        'queue_position = CASE WHEN r.key_hash IS NULL THEN NULL ELSE COALESCE(t.queue_position, r.queue_position) END',
        'key_hash = r.key_hash',
        'finished_at = NULL',
      ],
      dialect.rows('r', REQUEUED),
      `t.id = r.id AND ${isOpenTo('reopen', 't.', isWaitingToo ? undefined : OVER)} AND EXISTS (SELECT 1 FROM ${tables.messages} m WHERE m.id = t.message_id AND m.body IS NOT NULL)`,
    ),
    [dialect.rowsParameter(REQUEUED, deliveries.map(requeuedRow))],
  );
}

/**
 * Adds deliveries of finished messages; existing deliveries are left out. Index: the primary keys of messages, pending messages
 * and deliveries.
 */
export function insertBackfilled(
  { dialect, tables: { deliveries, messages, pendingMessages } }: Target,
  added: readonly BackfilledDelivery[],
): Write {
  const rows = added.map((delivery) => ({
    ...requeuedRow(delivery),
    message_id: keyOf('msg_', delivery.messageId),
    subscriber_id: keyOf('sub_', delivery.subscriberId),
    given_message_id: givenId('msg_', delivery.messageId),
    given_subscriber_id: givenId('sub_', delivery.subscriberId),
    event: delivery.event,
  }));
  return write(
    dialect.insertNew(
      deliveries,
      [
        ...['id', 'message_id', 'subscriber_id', 'given_message_id', 'given_subscriber_id'],
        ...['event', 'status', 'attempts', 'throttled', 'requests', 'host', 'due_at'],
        ...['key_hash', 'queue_position'],
      ],
      `SELECT r.id, r.message_id, r.subscriber_id, r.given_message_id, r.given_subscriber_id, r.event, 'pending', 0, 0, 0, r.host, r.due_at, r.key_hash, r.queue_position FROM ${dialect.rows('r', LATE)} ${dialect.join} ${messages} m ON m.id = r.message_id WHERE m.body IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ${pendingMessages} p WHERE p.id = m.id)`,
    ),
    [dialect.rowsParameter(LATE, rows)],
  );
}

/**
 * Selects the deliveries that {@link insertBackfilled} has added. Deliveries that were there before have another time. Not
 * every database reports the number of new rows. Index: the primary key.
 */
export function selectBackfilled(
  { dialect, tables }: Target,
  added: readonly BackfilledDelivery[],
): Select<Id> {
  return select(
    `SELECT d.id FROM ${dialect.rows('r', REQUEUED)} ${dialect.join} ${tables.deliveries} d ON d.id = r.id AND d.due_at = r.due_at`,
    [dialect.rowsParameter(REQUEUED, added.map(requeuedRow))],
  );
}

function requeuedRow({ id, host, dueAt, order }: RequeuedDelivery) {
  return {
    id: keyOf('dlv_', id),
    host,
    due_at: dueAt,
    key_hash: order?.keyHash ?? null,
    queue_position: order?.sequence ?? null,
  };
}

/** MySQL has the rows before SET, the others after it. */
function setAndRows({ name }: Dialect, set: readonly unknown[], rows: unknown): readonly unknown[] {
  return name === 'mysql' ? [rows, ...set] : [...set, rows];
}
