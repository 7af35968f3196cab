import {
  type ColumnKind,
  type Columns,
  type Dialect,
  idRows,
  type Select,
  select,
  type Statement,
  type Write,
  write,
} from '../../database/dialect.js';
import { OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';
import { type Gate, rowsOf, type TransactionProof } from '../../database/transaction-proof.js';
import type { HistoryPlace } from '../../dispatch/index.js';
import { FIRST_KEY, keyOf, type MessageCursor } from './keys.js';
import type { MessageRow, Target } from './table-names.js';

// The statements on `thorn_messages`. Each says the index that serves it; `npm run explain` prints their plans.

/** A column that the INSERT of a message gives a value. */
export type WrittenColumn = Exclude<keyof MessageRow, 'position'>;

/** The columns of a new row, in the order of their values. */
export const MESSAGE_COLUMNS: readonly WrittenColumn[] = [
  ...(Object.keys(OUTBOX_TABLES.messages.columns) as (keyof MessageRow)[]).filter(
    (name): name is WrittenColumn => name !== 'position' && name !== 'sequence',
  ),
  // The last one: its value may be an expression.
  'sequence',
];

/** The columns that a message is made of again. */
export type LoadedMessage = Pick<MessageRow, WrittenColumn>;

/** A message without its body, and whether it has one. */
type Listed<Name extends keyof MessageRow> = Pick<MessageRow, 'id' | 'given_id' | Name> & {
  readonly is_expunged: number;
};

/** A message as the history has it. Its position is not null. */
export type HistoryRow = Listed<'event' | 'time' | 'owner' | 'audience' | 'position'>;

const MESSAGES = [OUTBOX_TABLES.messages.name];
/** How a client sends the value of each column. */
const KINDS = Object.fromEntries(
  Object.entries(OUTBOX_TABLES.messages.columns).map(([name, { type }]) => [
    name,
    type === 'uuid' || type === 'bigint' || type === 'json' ? type : 'text',
  ]),
) as Readonly<Record<WrittenColumn, ColumnKind | 'json'>>;
/** Selects whether the body of a message `m` was dropped, or its row is gone. */
export const EXPUNGED = 'CASE WHEN m.body IS NULL THEN 1 ELSE 0 END AS is_expunged';

// ── stage ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The parts of an INSERT of messages besides its values. */
export interface MessageInsert {
  /** The text behind the values: ON CONFLICT, RETURNING. */
  readonly end?: string;
  /** The number of a message as an expression, in place of its last value. Default: the messages have their numbers */
  readonly numberOf?: ((index: number) => Statement | undefined) | undefined;
  readonly gate?: Gate | undefined;
  /** The expression of {@link newPosition}; default: messages get none. */
  readonly position?: string | undefined;
}

/** Inserts messages. Columns that none of them has are left out. @param rows values in the order of {@link MESSAGE_COLUMNS} */
export function insertMessages(
  { dialect, tables }: Target,
  rows: readonly (readonly unknown[])[],
  { end = '', numberOf, gate, position }: MessageInsert = {},
): Write {
  // Half of the columns are mostly null, and each parameter costs time.
  const used = MESSAGE_COLUMNS.map((_, at) => rows.some((values) => values[at] !== null));
  if (numberOf !== undefined) used[MESSAGE_COLUMNS.length - 1] = true;
  const columns = MESSAGE_COLUMNS.filter((_, at) => used[at]);
  const marks = columns.map((name) => dialect.parameter(KINDS[name]));
  const [named, first] = position === undefined ? ['', ''] : ['position, ', `${position}, `];
  const tuple = `${first}${marks.join(', ')}`;
  const parameters: unknown[] = [];
  const tuples = rows.map((row, index) => {
    const values = row.filter((_, at) => used[at]);
    const number = numberOf?.(index);
    if (number !== undefined) values.splice(-1, 1, ...number.parameters);
    parameters.push(...values);
    return number === undefined
      ? tuple
      : `${first}${[...marks.slice(0, -1), number.sql].join(', ')}`;
  });
  return {
    sql: `INSERT INTO ${tables.messages} (${named}${columns.join(', ')}) ${rowsOf(tuples, gate)} ${end}`,
    parameters,
    tables: MESSAGES,
  };
}

/**
 * The ids of messages that are stored already, on MySQL. It answers the ids as they were sent and not as they are stored, because
 * Prisma 6 cannot read texts of a binary collation. Every id has a row in the answer, null where the message is new: an
 * answer without rows means that there is no transaction. Index: the primary key.
 *
 * @param isLocking true: also messages that were committed since the transaction has begun to read
 */
export function selectKnown(
  { dialect, tables }: Target,
  ids: readonly string[],
  isLocking: boolean,
  proof: TransactionProof | undefined,
): Select<{ readonly id: string | null }> {
  const { rows, parameter } = idRows(
    dialect,
    ids.map((id) => keyOf('msg_', id)),
  );
  const lock = isLocking ? 'LOCK IN SHARE MODE' : '';
  const sql = `SELECT IF(m.id IS NULL, NULL, r.id) AS id FROM ${rows} LEFT JOIN ${tables.messages} m ON m.id = r.id WHERE ${proof?.gate.condition ?? 'TRUE'} ${lock}`;
  return { ...select(sql, [parameter]), tables: MESSAGES, proof };
}

/** Deletes messages, whatever has become of them. Index: the primary key. */
export function deleteMessages({ dialect, tables }: Target, ids: readonly string[]): Write {
  const { rows, parameter } = idRows(
    dialect,
    ids.map((id) => keyOf('msg_', id)),
  );
  const sql = dialect.deleteFrom(tables.messages, rows, 't.id = r.id');
  return { ...write(sql, [parameter]), tables: MESSAGES };
}

/** A message, by its key in the table, and its number. */
export interface MessageNumber {
  readonly id: string;
  readonly sequence: number;
}

/** The columns of a {@link MessageNumber}. */
export const NUMBERED: Columns = { id: 'uuid', sequence: 'bigint' };

/** Gives messages other numbers. Index: the primary key. */
export function renumberMessages(
  { dialect, tables }: Target,
  numbers: readonly MessageNumber[],
): Write {
  const rows = dialect.rows('r', NUMBERED);
  return write(
    dialect.updateFrom(tables.messages, ['sequence = r.sequence'], rows, 't.id = r.id'),
    [dialect.rowsParameter(NUMBERED, numbers)],
  );
}

// ── Messages by their ids ───────────────────────────────────────────────────────────────────────────────────────────────

/** The select list of {@link LoadedMessage}. @param columns default: all of them */
export function messageSelection(
  { asText }: Dialect,
  columns: readonly WrittenColumn[] = MESSAGE_COLUMNS,
): string {
  // A JSON type holds long texts on every database, but drivers would parse it; so the text is selected.
  return columns
    .map((name) => (KINDS[name] === 'json' ? `${asText(`m.${name}`)} AS ${name}` : `m.${name}`))
    .join(', ');
}

/** Messages by their ids. Index: the primary key. */
export function selectMessages(target: Target, ids: readonly string[]): Select<LoadedMessage> {
  return byId(target, ids, messageSelection(target.dialect));
}

/** The messages that exist, by their ids. Index: the primary key. */
export function selectStored(
  target: Target,
  ids: readonly string[],
): Select<Pick<MessageRow, 'id' | 'given_id'>> {
  return byId(target, ids, 'm.id, m.given_id');
}

/** The keys and numbers of messages, by their ids. Index: the primary key. */
export function selectOrders(
  target: Target,
  ids: readonly string[],
): Select<Pick<MessageRow, 'id' | 'given_id' | 'order_key' | 'sequence'>> {
  return byId(target, ids, 'm.id, m.given_id, m.order_key, m.sequence');
}

/** What messages are about, by their ids. Those of which nothing is known are left out. Index: the primary key. */
export function selectSubjects(
  target: Target,
  ids: readonly string[],
): Select<Pick<MessageRow, 'id' | 'given_id' | 'subject'>> {
  return byId(target, ids, 'm.id, m.given_id, m.subject', 'm.subject IS NOT NULL');
}

/** The newest messages about a subject in a time, newest first. Index: (subject, time). @param until the last millisecond */
export function selectAbout(
  { tables }: Target,
  subject: string,
  since: number,
  until: number,
  limit: number,
): Select<Pick<MessageRow, 'id' | 'given_id' | 'time'>> {
  return select(
    `SELECT m.id, m.given_id, m.time FROM ${tables.messages} m WHERE m.subject = ? AND m.time >= ? AND m.time <= ? ORDER BY m.time DESC LIMIT ?`,
    [subject, since, until, limit],
  );
}

/** The time of a message. Index: the primary key. */
export function selectTime({ tables }: Target, id: string): Select<Pick<MessageRow, 'time'>> {
  return select(`SELECT time FROM ${tables.messages} WHERE id = ?`, [keyOf('msg_', id)]);
}

function byId<Answered>(
  { dialect, tables }: Target,
  ids: readonly string[],
  columns: string,
  condition = '',
): Select<Answered> {
  const { rows, parameter } = idRows(
    dialect,
    ids.map((id) => keyOf('msg_', id)),
  );
  return select(
    `SELECT ${columns} FROM ${rows} ${dialect.join} ${tables.messages} m ON m.id = r.id${condition && ` AND ${condition}`}`,
    [parameter],
  );
}

// ── Messages by their times ─────────────────────────────────────────────────────────────────────────────────────────────

/** The messages behind a cursor, oldest first. Index: (time). */
export function selectMessagesBehind(
  target: Target,
  after: MessageCursor,
  until: number,
  limit: number,
): Select<
  Listed<'time' | 'event' | 'owner' | 'audience' | 'order_key' | 'sequence'> & {
    readonly is_under_way: number;
  }
> {
  return behind(
    target,
    `m.id, m.given_id, m.time, m.event, m.owner, m.audience, m.order_key, m.sequence, ${EXPUNGED}, ${hasPending(target, 'is_under_way')}`,
    after,
    until,
    limit,
  );
}

/** The messages behind a cursor, oldest first, as retention looks at them. Index: (time). */
export function selectOldMessages(
  target: Target,
  after: MessageCursor,
  before: number,
  limit: number,
): Select<
  Pick<MessageRow, 'id' | 'given_id' | 'time'> & {
    readonly has_body: number;
    readonly is_open: number;
  }
> {
  return behind(
    target,
    `m.id, m.given_id, m.time, CASE WHEN m.body IS NULL THEN 0 ELSE 1 END AS has_body, ${hasPending(target, 'is_open')}`,
    after,
    before,
    limit,
  );
}

/** The newest messages of which bodies are kept, out of the `looked` newest ones; those of an owner and of all. Index: (time). */
export function selectNewestMessages(
  { tables }: Target,
  owner: string | null,
  looked: number,
): Select<Pick<MessageRow, 'id' | 'given_id' | 'event' | 'time' | 'owner' | 'audience'>> {
  return select(
    `SELECT w.id, w.given_id, w.event, w.time, w.owner, w.audience FROM (SELECT m.id, m.given_id, m.event, m.time, m.owner, m.audience, ${EXPUNGED} FROM ${tables.messages} m ORDER BY m.time DESC LIMIT ?) w
        WHERE w.is_expunged = 0 ${owner === null ? '' : "AND (w.audience = 'everyone' OR w.owner = ?)"} ORDER BY w.time DESC`,
    owner === null ? [looked] : [looked, owner],
  );
}

function hasPending({ tables }: Target, name: string): string {
  return `CASE WHEN EXISTS (SELECT 1 FROM ${tables.pendingMessages} p WHERE p.id = m.id) THEN 1 ELSE 0 END AS ${name}`;
}

function behind<Answered>(
  { tables }: Target,
  columns: string,
  after: MessageCursor,
  until: number,
  limit: number,
): Select<Answered> {
  return select(
    `SELECT ${columns} FROM ${tables.messages} m WHERE m.time >= ? AND (m.time > ? OR m.id > ?) AND m.time < ? ORDER BY m.time, m.id LIMIT ?`,
    [after.time, after.time, keyOf('msg_', after.id), until, limit],
  );
}

// ── remove ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Deletes messages that have no row of thorn_pending_messages any more. Index: the primary keys. */
export function deleteFinished({ dialect, tables }: Target, keys: readonly string[]): Write {
  const { rows, parameter } = idRows(dialect, keys);
  const isFinished = `NOT EXISTS (SELECT 1 FROM ${tables.pendingMessages} p WHERE p.id = t.id)`;
  return write(dialect.deleteFrom(tables.messages, rows, `t.id = r.id AND ${isFinished}`), [
    parameter,
  ]);
}

/** Drops the bodies of messages. Index: the primary key. */
export function dropBodies({ dialect, tables }: Target, keys: readonly string[]): Write {
  const { rows, parameter } = idRows(dialect, keys);
  // With the body, what was read of it, and the secrets of subscribers that the message names itself.
  const changes = ['body = NULL', 'subject = NULL', "recipients = '[]'"];
  const where = 't.id = r.id AND t.body IS NOT NULL';
  return write(dialect.updateFrom(tables.messages, changes, rows, where), [parameter]);
}

// ── reseal ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The subscribers that messages name themselves, by the ids of the messages; null for none. Index: the primary key. */
export function selectRecipients(
  { dialect, tables }: Target,
  after: string | null,
  limit: number,
): Select<Pick<MessageRow, 'id' | 'given_id'> & { readonly recipients: string | null }> {
  const recipients = dialect.asText('m.recipients');
  return select(
    `SELECT m.id, m.given_id, CASE WHEN ${recipients} = '[]' THEN NULL ELSE ${recipients} END AS recipients FROM ${tables.messages} m WHERE m.id > ? ORDER BY m.id LIMIT ?`,
    [after === null ? FIRST_KEY : keyOf('msg_', after), limit],
  );
}

/** Replaces the subscribers that a message names itself, unless another process has. Index: the primary key. */
export function updateRecipients(
  { dialect, tables }: Target,
  id: string,
  { stored, sealed }: { readonly stored: string; readonly sealed: string },
): Write {
  return write(
    `UPDATE ${tables.messages} SET recipients = ? WHERE id = ? AND ${dialect.asText('recipients')} = ?`,
    [sealed, keyOf('msg_', id), stored],
  );
}

// ── The history of events ───────────────────────────────────────────────────────────────────────────────────────────────

const SQLITE_NOW = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)";
/** Microseconds since the Unix epoch, at the start of the statement. */
const MYSQL_NOW = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))";
/** The lowest number of a transaction of PostgreSQL that is open. */
const XMIN = 'txid_snapshot_xmin(txid_current_snapshot())';

/**
 * The position of a new message, as an expression for its INSERT. No position is given out below one that all readers may
 * have passed:
 *
 * - PostgreSQL: the number of the transaction. Those of all open transactions are known.
 * - SQLite: higher than all others, since one transaction writes at a time. Not lower than the time, so that the position
 *   of a message that was removed is not used again.
 * - MySQL and MariaDB: the time at which the row is written, after any wait for a lock on the table. Time zones and their
 *   changes have no part in it.
 */
export function newPosition({ dialect, tables }: Target): string {
  switch (dialect.name) {
    case 'postgres':
      return 'txid_current()';
    case 'sqlite':
      return `MAX(${lastPosition(tables.messages)} + 1, ${SQLITE_NOW})`;
    case 'mysql':
      return `${MYSQL_NOW} + GREATEST(0, TIMESTAMPDIFF(MICROSECOND, NOW(6), SYSDATE(6)))`;
  }
}

/** The lowest position that a transaction may yet commit. Index: (position, id). @param lag milliseconds, on MySQL and MariaDB */
export function selectHorizon(
  { dialect, tables }: Target,
  lag: number,
): Select<{ readonly horizon: number | string }> {
  switch (dialect.name) {
    case 'postgres':
      return select(`SELECT ${XMIN} AS horizon`, []);
    case 'sqlite':
      return select(`SELECT ${lastPosition(tables.messages)} + 1 AS horizon`, []);
    case 'mysql':
      return select(`SELECT ${MYSQL_NOW} - ? AS horizon`, [lag * 1000]);
  }
}

/** The position behind everything that is committed. Index: (position, id). @param lag as in {@link selectHorizon} */
export function selectHistoryEnd(
  target: Target,
  lag: number,
): Select<{ readonly horizon: number | string }> {
  return target.dialect.name === 'postgres'
    ? select(`SELECT ${lastPosition(target.tables.messages, XMIN)} + 1 AS horizon`, [])
    : selectHorizon(target, lag);
}

/** The messages behind a place and below a horizon, in the order of the history. Index: (position, id). */
export function selectHistory(
  target: Target,
  place: HistoryPlace,
  horizon: number,
  limit: number,
): Select<HistoryRow> {
  return between(
    target,
    `m.position, m.id, m.given_id, m.event, m.time, m.owner, m.audience, ${EXPUNGED}`,
    place,
    horizon,
    limit,
  );
}

/** The places of the same messages alone. Index: (position, id). */
export function selectPlaces(
  target: Target,
  place: HistoryPlace,
  horizon: number,
  limit: number,
): Select<Pick<HistoryRow, 'position' | 'id'>> {
  return between(target, 'm.position, m.id', place, horizon, limit);
}

function between<Answered>(
  { tables }: Target,
  columns: string,
  { position, key }: HistoryPlace,
  horizon: number,
  limit: number,
): Select<Answered> {
  return select(
    `SELECT ${columns} FROM ${tables.messages} m WHERE m.position >= ? AND (m.position > ? OR m.id > ?) AND m.position < ? ORDER BY m.position, m.id LIMIT ?`,
    [position, position, key, horizon, limit],
  );
}

/** The highest position; 0 for none. @param before an expression that it is below. Default: any */
function lastPosition(messages: string, before?: string): string {
  const condition = before === undefined ? 'IS NOT NULL' : `< ${before}`;
  return `COALESCE((SELECT m.position FROM ${messages} m WHERE m.position ${condition} ORDER BY m.position DESC LIMIT 1), 0)`;
}
