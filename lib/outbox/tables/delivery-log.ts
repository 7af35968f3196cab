import {
  type Columns,
  type Dialect,
  idRows,
  type Select,
  select,
  type Statement,
} from '../../database/dialect.js';
import { isOpenTo } from '../delivery-states.js';
import { hasAnswers } from './attempts.js';
import { type CandidateRow, deliveryColumns, type DeliveryColumns } from './delivery-record.js';
import { FIRST_KEY, isOfMessages, keyOf, LAST_KEY, type MessageCursor } from './keys.js';
import { EXPUNGED } from './messages.js';
import type { DeliveryRow, Target } from './table-names.js';

// The statements that only read `thorn_deliveries`, for the log, reports, retention and retries. deliveries.ts has the statements
// that claim and change rows.

/** A condition on deliveries `d`, and its parameters. */
export interface LogCondition {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** The column that is equal to the one parameter, if an index has it and then the id. */
  readonly column?: 'subscriber_id' | 'reason';
  /** Of rows whose index is not in the order of ids: at most so many, which are read whole and sorted. */
  readonly few?: number;
}

/** Ids between two others. */
export interface LogRange {
  /** The smallest id, inclusive; undefined for no end. */
  readonly from: string | undefined;
  /** The bound above, exclusive; undefined for no end. One alone: of two, SQLite goes through all rows between them. */
  readonly before: string | undefined;
}

/** Ids from `low` to below `high`, which are counted together. */
export interface IdBucket {
  readonly bucket: number;
  readonly low: string;
  readonly high: string;
}

const BUCKETS: Columns = { bucket: 'bigint', low: 'uuid', high: 'uuid' };
/** What filters look at. */
const FILTERED = 'd.id, d.message_id, d.subscriber_id, d.event, d.status';
/** Entries of an index that one count goes through, and rows: of more, counts say that there are at least so many. */
export const MOST_COUNTED = 100_000;
const MOST_READ = 20_000;

/** Attempts with the same answer and duration. */
export interface AttemptCount extends Pick<DeliveryRow, 'error_code' | 'duration'> {
  readonly bucket: number | string;
  readonly status: number | null;
  readonly amount: number | string;
  /** These are counted by subscriber alone. */
  readonly subscriber_id?: string;
  readonly given_subscriber_id?: string | null;
  readonly latest?: number | string;
}

/** Deliveries of the same bucket and state. */
export type DeliveryCount = Pick<DeliveryRow, 'status'> & Pick<AttemptCount, 'bucket' | 'amount'>;

/** The deliveries of a message, summed up. */
export interface DeliverySummary extends Pick<DeliveryRow, 'message_id' | 'given_message_id'> {
  readonly deliveries: number | string;
  readonly is_open: number;
  readonly finished_at: number | string | null;
  readonly has_responses: number;
}

// ── One delivery ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A delivery, and whether its message has a body. Index: the primary keys. */
export function selectDelivery(
  { tables }: Target,
  id: string,
): Select<DeliveryColumns & Pick<DeliveryRow, 'host'> & { is_expunged: number }> {
  return select(
    `SELECT ${deliveryColumns(tables)}, d.host, ${EXPUNGED} FROM ${tables.deliveries} d LEFT JOIN ${tables.messages} m ON m.id = d.message_id WHERE d.id = ?`,
    [keyOf('dlv_', id)],
  );
}

/** The delivery whose turn it is in a queue. Index: (key_hash, subscriber_id, queue_position). */
export function selectTurn(
  { tables }: Target,
  {
    key_hash: keyHash,
    subscriber_id: subscriberId,
  }: Pick<DeliveryRow, 'key_hash' | 'subscriber_id'>,
): Select<Pick<DeliveryRow, 'id'>> {
  return select(
    `SELECT id FROM ${tables.deliveries} WHERE key_hash = ? AND subscriber_id = ? AND queue_position = 0`,
    [keyHash, subscriberId],
  );
}

/** The reasons of those deliveries that exist. Index: the primary key. */
export function selectReasons(
  { dialect, tables }: Target,
  ids: readonly string[],
): Select<Pick<DeliveryRow, 'id' | 'reason'>> {
  const { rows, parameter } = idRows(
    dialect,
    ids.map((id) => keyOf('dlv_', id)),
  );
  return select(
    `SELECT d.id, d.reason FROM ${rows} ${dialect.join} ${tables.deliveries} d ON d.id = r.id`,
    [parameter],
  );
}

// ── Pages of the log ────────────────────────────────────────────────────────────────────────────────────────────────────

// Pages are read along the branches of a union. A branch is a condition that an index has in the order of ids, so that its
// newest rows are read without looking at the others.

/**
 * The newest deliveries of any branch for which all filters hold. Index: that of each branch, then the primary key.
 *
 * @param each with filters, the number of rows that each branch has in the range at most, as {@link selectLowestId} tells
 */
export function selectNewest(
  target: Target,
  branches: readonly LogCondition[],
  filters: readonly LogCondition[],
  range: LogRange,
  limit: number,
  each: number,
): Select<DeliveryColumns> {
  const { dialect, tables } = target;
  const isPlain = filters.length === 0 && branches.every(({ few }) => few === undefined);
  const { sql, parameters } = isPlain
    ? union(target, branches, range, 'd.id', 'LIMIT ?', limit, limit)
    : filtered(target, branches, filters, range, limit, each);
  // Every branch may have a page of ids: rows are read of the ids that are left.
  return select(
    `SELECT ${deliveryColumns(tables)} FROM (${sql}) w ${dialect.joinEach(tables.deliveries, 'd', 'd.id = w.id')} ORDER BY w.id DESC`,
    parameters,
  );
}

/**
 * The oldest id among the newest `rows` rows of each branch, by the columns of its index alone: no branch has more of them
 * down to that id. No row when none of the branches has more rows. Index: that of each branch.
 */
export function selectLowestId(
  target: Target,
  branches: readonly LogCondition[],
  range: LogRange,
  rows: number,
): Select<Pick<DeliveryRow, 'id'>> {
  const { sql, parameters } = union(
    target,
    branches,
    range,
    'd.id',
    'LIMIT 1 OFFSET ?',
    rows - 1,
    1,
  );
  return select(sql, parameters);
}

/** Counts the rows of a branch up to `most`, without the filters. Index: that of the branch. */
export function countWaiting(
  { tables }: Target,
  { sql, parameters }: LogCondition,
  most: number,
): Select<{ amount: number | string }> {
  return select(
    `SELECT COUNT(*) AS amount FROM (SELECT 1 AS one FROM ${tables.deliveries} d WHERE ${sql} LIMIT ?) w`,
    [...parameters, most],
  );
}

// ── Figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Counts the attempts of deliveries by time, answer and duration. Index: that of each branch; the primary key of attempts.
 *
 * @param step milliseconds
 * @param isBySubscriber true: by subscriber as well, with the start of the latest of each
 */
export function countAttempts(
  target: Target,
  branches: readonly LogCondition[],
  filters: readonly LogCondition[],
  range: LogRange,
  step: number,
  isBySubscriber = false,
): Select<AttemptCount> {
  const { dialect, tables } = target;
  const own = (row: string) =>
    isBySubscriber ? `, ${row}.subscriber_id, ${row}.given_subscriber_id` : '';
  const groups = `w.began - (w.began % ${step}), w.status, w.error_code, w.duration${own('w')}`;
  const { from, parameters } = deliveriesOf(target, branches, filters, range);
  const [{ sql: branch }] = branches as readonly [LogCondition];
  const isEverything = branch === '' && filters.length === 0 && !isBySubscriber;
  const among = whereOf(conditionsOf(range, 'o.delivery_id'));
  const further = isEverything
    ? `${dialect.byKey(tables.attempts, 'o')}${among.sql}`
    : `l ${dialect.joinEach(tables.attempts, 'o', 'o.delivery_id = l.id')} WHERE l.requests > 1`;
  // So that a delivery that both parts look at is read once. MariaDB has no word for it.
  const kept = isEverything || dialect.name === 'mysql' ? '' : 'MATERIALIZED';
  const sql = `WITH l AS ${kept} (SELECT d.id, COALESCE(d.started_at, d.attempted_at) AS began, d.response_status AS status, d.error_code, d.duration, d.requests, d.status AS state${own('d')} FROM ${from})
    SELECT ${groups.replace(',', ' AS bucket,')}, COUNT(*) AS amount${isBySubscriber ? ', MAX(w.began) AS latest' : ''} FROM (
      SELECT l.began, l.status, l.error_code, l.duration${own('l')} FROM l WHERE l.duration IS NOT NULL OR (l.requests = 1 AND l.state = 'succeeded')
      UNION ALL SELECT o.started_at, o.status, o.error_code, o.duration${own('l')} FROM ${further}
    ) w GROUP BY ${groups}`;
  return select(sql, isEverything ? [...parameters, ...among.parameters] : parameters);
}

/** Counts the deliveries of a branch by bucket and state. Index: that of the branch. @param buckets in the order of their ids */
export function countDeliveries(
  { dialect, tables }: Target,
  branch: LogCondition,
  range: LogRange,
  buckets: readonly IdBucket[],
): Select<DeliveryCount> {
  const columns = 'r.bucket, d.status';
  const among = buckets
    .filter(({ low, high }) => overlaps(range, low, high))
    .map(({ bucket, low, high }) => ({
      bucket,
      low: keyOf('dlv_', low),
      high: keyOf('dlv_', high),
    }));
  const conditions = [branch, ...conditionsOf(range)];
  return select(
    `SELECT ${columns}, COUNT(*) AS amount FROM ${dialect.rows('r', BUCKETS)} ${dialect.join} ${tables.deliveries} d
        ON d.id >= r.low AND d.id < r.high AND ${conditions.map(({ sql }) => sql).join(' AND ')} GROUP BY ${columns}`,
    [dialect.rowsParameter(BUCKETS, among), ...conditions.flatMap(({ parameters }) => parameters)],
  );
}

/** Counts the deliveries of a branch that wait for a rate limit, up to a limit. Index: (subscriber_id, due_at). */
export function countRateLimited(
  { tables }: Target,
  branch: LogCondition,
  now: number,
): Select<Pick<AttemptCount, 'amount'>> {
  return select(
    `SELECT COUNT(*) AS amount FROM (SELECT d.due_at FROM ${tables.deliveries} d WHERE ${branch.sql} AND d.due_at > ? AND d.due_at <= (SELECT l.queued_until FROM ${tables.rateLimits} l WHERE l.subscriber_id = d.subscriber_id) LIMIT ?) w`,
    [...branch.parameters, now, MOST_COUNTED],
  );
}

/**
 * Count deliveries and pending messages by state, and find the oldest due times: one statement for each index, whose answers
 * have different columns. Index: (due_at), (subscriber_id, due_at), (key_hash, subscriber_id, queue_position), (reason, id); (due_at) of
 * pending messages.
 */
export function countStates(
  { tables: { deliveries, pendingMessages, rateLimits } }: Target,
  now: number,
): readonly Select[] {
  const waiting = `SELECT due_at FROM ${deliveries} WHERE due_at IS NOT NULL`;
  const limited = `SELECT d.due_at FROM ${rateLimits} l JOIN ${deliveries} d ON d.subscriber_id = l.subscriber_id AND d.due_at > ? AND d.due_at <= l.queued_until WHERE l.queued_until > ?`;
  const next = `SELECT lease FROM ${deliveries} WHERE due_at > ? ORDER BY due_at`;
  const keyed = `SELECT queue_position, status FROM ${deliveries} WHERE key_hash IS NOT NULL`;
  const failed = `SELECT 1 AS one FROM ${deliveries} WHERE reason IS NOT NULL`;
  const messages = `SELECT due_at FROM ${pendingMessages} ORDER BY due_at`;
  const due = (table: string) => `SELECT due_at FROM ${table} WHERE due_at <= ? ORDER BY due_at`;
  const oldest = `(SELECT d.id FROM ${deliveries} d WHERE d.due_at <= ? ORDER BY d.due_at LIMIT 1)`;
  const counts: readonly (readonly [columns: string, from: string, ...parameters: number[]])[] = [
    ['COUNT(*) AS pending', waiting, MOST_COUNTED],
    ['COUNT(*) AS rate_limited', limited, now, now, MOST_COUNTED],
    [
      `COUNT(*) AS due, MIN(w.due_at) AS oldest_delivery, ${oldest} AS oldest_id`,
      due(deliveries),
      ...[now, now, MOST_COUNTED],
    ],
    ['COUNT(w.lease) AS leased', next, now, MOST_READ],
    [
      "COUNT(CASE WHEN w.queue_position > 0 THEN 1 END) AS blocked, COUNT(CASE WHEN w.queue_position = 0 AND w.status = 'failed' THEN 1 END) AS holding",
      keyed,
      MOST_READ,
    ],
    ['COUNT(*) AS failed', failed, MOST_COUNTED],
    ['COUNT(*) AS pending_messages', messages, MOST_COUNTED],
    [
      'COUNT(*) AS due_messages, MIN(w.due_at) AS oldest_message',
      due(pendingMessages),
      now,
      MOST_COUNTED,
    ],
  ];
  return counts.map(([columns, from, ...parameters]) =>
    select(`SELECT ${columns} FROM (${from} LIMIT ?) w`, parameters),
  );
}

/**
 * Sums up the deliveries of messages, by message. Of several messages, those of the first deliveries that are found. Index:
 * the primary keys of deliveries and attempts.
 *
 * @param most deliveries that are looked at, where there are several messages
 */
export function summarizeDeliveries(
  { tables }: Target,
  messages: readonly MessageCursor[],
  most: number,
): Select<DeliverySummary> {
  const { sql, parameters } = isOfMessages(messages);
  // No parameter: SQLite would prepare the statement again for its value.
  const limit = messages.length === 1 ? '' : `LIMIT ${most}`;
  return select(
    `SELECT s.message_id, s.given_message_id, COUNT(*) AS deliveries, MAX(s.is_open) AS is_open, MAX(s.finished_at) AS finished_at, MAX(s.has_responses) AS has_responses
        FROM (SELECT d.message_id, d.given_message_id, CASE WHEN ${isOpenTo('remove', 'd.')} THEN 0 ELSE 1 END AS is_open, d.finished_at, CASE WHEN ${hasAnswers(tables)} THEN 1 ELSE 0 END AS has_responses
          FROM ${tables.deliveries} d WHERE ${sql} ${limit}) s
        GROUP BY s.message_id, s.given_message_id`,
    parameters,
  );
}

// ── retryFailed ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Selects the deliveries of a subscriber to retry. */
export interface FailedQuery {
  readonly subscriber: string;
  readonly from: string;
  readonly before: string;
  readonly after: string;
  readonly limit: number;
  /** The current time, in milliseconds since the Unix epoch. Retries that are due already are left out. */
  readonly now: number;
}

/** The id at which one step of {@link selectFailed} ends. Index: (subscriber_id, id). @param most deliveries of a step */
export function selectFailedEnd(
  { tables }: Target,
  query: FailedQuery,
  most: number,
): Select<Pick<DeliveryRow, 'id'>> {
  const { condition, parameters } = failedRange(query);
  return select(
    `SELECT d.id FROM ${tables.deliveries} d WHERE ${condition} < ? ORDER BY d.id LIMIT 1 OFFSET ?`,
    [...parameters, keyOf('dlv_', query.before), most - 1],
  );
}

/**
 * Failed deliveries and waiting retries, oldest first; cancelled deliveries are left out. Index: (subscriber_id, id); the
 * primary key of messages.
 *
 * @param end the id of {@link selectFailedEnd}; undefined: to the end of the query
 */
export function selectFailed(
  { tables }: Target,
  query: FailedQuery,
  end: string | undefined,
): Select<CandidateRow> {
  const { condition, parameters } = failedRange(query);
  return select(
    `SELECT d.id, d.message_id, d.subscriber_id, d.given_message_id, d.given_subscriber_id, d.event, ${EXPUNGED} FROM ${tables.deliveries} d LEFT JOIN ${tables.messages} m ON m.id = d.message_id
        WHERE ${condition} ${end === undefined ? '<' : '<='} ? AND ((d.status = 'failed' AND d.reason <> 'cancelled')
          OR (d.status = 'pending' AND d.requests > 0 AND d.lease IS NULL AND d.due_at > ?))
        ORDER BY d.id LIMIT ?`,
    [...parameters, end ?? keyOf('dlv_', query.before), query.now, query.limit],
  );
}

function failedRange({ subscriber, from, after }: FailedQuery) {
  const [first, behind] = [keyOf('dlv_', from), keyOf('dlv_', after)];
  // One bound of each side: of two, SQLite may begin or end at the one that is further away.
  const [bound, begin] = behind < first ? ['>=', first] : ['>', behind];
  return {
    condition: `d.subscriber_id = ? AND d.id ${bound} ? AND d.id`,
    parameters: [keyOf('sub_', subscriber), begin],
  };
}

// ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The ids of rows for which filters hold. A branch ends with its LIMIT before they are looked at, so that no planner
 * goes another way because of them.
 */
function filtered(
  target: Target,
  branches: readonly LogCondition[],
  filters: readonly LogCondition[],
  range: LogRange,
  limit: number,
  each: number,
): Statement {
  const few = branches[0]!.few;
  const conditions = few === undefined ? filters : [...conditionsOf(range), ...filters];
  const part = few === undefined ? range : { from: undefined, before: undefined };
  const columns = filters.length === 0 ? 'd.id' : FILTERED;
  const most = few ?? each;
  const inner = union(target, branches, part, columns, 'LIMIT ?', most, most * branches.length);
  const where = conditions.map(({ sql }) => sql).join(' AND ');
  return {
    sql: `SELECT d.id FROM (${inner.sql}) d ${where === '' ? '' : `WHERE ${where}`} ORDER BY d.id DESC LIMIT ?`,
    parameters: [...inner.parameters, ...conditions.flatMap(({ parameters }) => parameters), limit],
  };
}

/** The newest rows of every branch, and of those together the newest. */
function union(
  target: Target,
  branches: readonly LogCondition[],
  range: LogRange,
  columns: string,
  end: string,
  each: number,
  limit: number,
): Statement {
  const part = (branch: LogCondition) => partOf(target, branch, range, columns, end, each);
  const [first] = branches;
  if (branches.length === 1) return part(first!);
  if (target.dialect.name !== 'postgres') return merged(target.dialect, branches.map(part), limit);
  // PostgreSQL would plan each part of a union by itself, which takes longer than to run them.
  const { rows, parameter } = valuesOf(target.dialect, branches);
  const { sql, parameters } = part(withValueOfRow(first!));
  return {
    sql: `SELECT w.* FROM ${rows} CROSS JOIN LATERAL (${sql}) w ORDER BY w.id DESC LIMIT ?`,
    parameters: [parameter, ...parameters, limit],
  };
}

function partOf(
  { dialect, tables }: Target,
  branch: LogCondition,
  range: LogRange,
  columns: string,
  end: string,
  each: number,
): Statement {
  const { column, few } = branch;
  const isPair = dialect.name === 'postgres' && column !== undefined;
  const all = isPair ? [pairs(branch, column, range)] : [branch, ...conditionsOf(range)];
  const conditions = all.filter(({ sql }) => sql !== '');
  const where = conditions.map(({ sql }) => sql).join(' AND ');
  const order = few === undefined ? `ORDER BY ${isPair ? `d.${column} DESC, ` : ''}d.id DESC` : '';
  return {
    sql: `SELECT ${columns} FROM ${tables.deliveries} d ${where === '' ? '' : `WHERE ${where}`} ${order} ${end}`,
    parameters: [...conditions.flatMap(({ parameters }) => parameters), each],
  };
}

/** The values of branches of one column, as rows `r`. */
function valuesOf(dialect: Dialect, branches: readonly LogCondition[]) {
  return idRows(
    dialect,
    branches.map(({ parameters }) => parameters[0]),
    branches[0]!.column === 'reason' ? 'text' : 'uuid',
  );
}

/** The newest ids of several branches. Each comes from an index in order; one query over all branches would sort. */
function merged(dialect: Dialect, parts: readonly Statement[], limit: number): Statement {
  // SQLite has no LIMIT in a part, and MariaDB takes twice as long for a table of each.
  const isMysql = dialect.name === 'mysql';
  const texts = parts.map(({ sql }, at) =>
    isMysql ? `(${sql})` : `SELECT * FROM (${sql}) AS p${at}`,
  );
  return {
    sql: `${texts.join(' UNION ALL ')} ORDER BY id DESC LIMIT ?`,
    parameters: [...parts.flatMap(({ parameters }) => parameters), limit],
  };
}

/** The FROM and the WHERE of the deliveries of branches in a range for which filters hold. */
function deliveriesOf(
  { dialect, tables: { deliveries } }: Target,
  branches: readonly LogCondition[],
  filters: readonly LogCondition[],
  range: LogRange,
): { readonly from: string; readonly parameters: readonly unknown[] } {
  const [first] = branches as readonly [LogCondition];
  const { column } = first;
  if (dialect.name === 'postgres' && column !== undefined) {
    const { rows, parameter } = valuesOf(dialect, branches);
    const pair = pairs(withValueOfRow(first), column, range);
    const where = whereOf(filters);
    return {
      from: `${rows} ${dialect.joinEach(deliveries, 'd', pair.sql)}${where.sql}`,
      parameters: [parameter, ...pair.parameters, ...where.parameters],
    };
  }
  const values = branches.flatMap(({ parameters }) => parameters);
  const any = { sql: `d.${column} IN (${values.map(() => '?').join(', ')})`, parameters: values };
  const branch = branches.length === 1 ? first : any;
  const where = whereOf([branch, ...filters, ...conditionsOf(range)]);
  const table = first.sql === '' ? dialect.byKey(deliveries, 'd') : `${deliveries} d`;
  return { from: `${table}${where.sql}`, parameters: where.parameters };
}

function whereOf(conditions: readonly LogCondition[]): Statement {
  const all = conditions.filter(({ sql }) => sql !== '');
  return {
    sql: all.length === 0 ? '' : ` WHERE ${all.map(({ sql }) => sql).join(' AND ')}`,
    parameters: all.flatMap(({ parameters }) => parameters),
  };
}

function overlaps({ from, before }: LogRange, low: string, high: string): boolean {
  return (from === undefined || high > from) && (before === undefined || low < before);
}

function conditionsOf({ from, before }: LogRange, column = 'd.id'): readonly LogCondition[] {
  return [
    ...(from === undefined ? [] : [{ sql: `${column} >= ?`, parameters: [keyOf('dlv_', from)] }]),
    ...(before === undefined
      ? []
      : [{ sql: `${column} < ?`, parameters: [keyOf('dlv_', before)] }]),
  ];
}

/**
 * A branch and a range as pairs, on PostgreSQL. Of a plain comparison its planner may go through all deliveries in the order
 * of ids, where it expects to find some of the branch soon; the order of pairs is that of the index alone.
 */
function pairs(
  { parameters: [value] }: LogCondition,
  column: string,
  range: LogRange,
): LogCondition {
  const given = value === undefined ? [] : [value];
  const placeholder = value === undefined ? 'r.id' : '?';
  const pair = `(d.${column}, d.id)`;
  const { from, before } = range;
  const low = from === undefined ? FIRST_KEY : keyOf('dlv_', from);
  const high = before === undefined ? LAST_KEY : keyOf('dlv_', before);
  return {
    // The index on reasons has the reasons that are not null, which the planner does not conclude from a pair.
    sql: `${pair} >= (${placeholder}, ?) AND ${pair} < (${placeholder}, ?) AND d.${column} IS NOT NULL`,
    parameters: [...given, low, ...given, high],
  };
}

/**
 * The branch for all branches of its union: they have the same column and one value each. Without a parameter of its own,
 * `pairs` takes the value of a row `r`, which `valuesOf` makes of each branch.
 */
function withValueOfRow(branch: LogCondition): LogCondition {
  return { ...branch, parameters: [] };
}
