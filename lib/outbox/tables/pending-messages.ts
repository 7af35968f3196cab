import { BulkStatement } from '../../database/bulk-statement.js';
import {
  type Columns,
  type Dialect,
  idRows,
  type Select,
  select,
  type Statement,
  type Write,
  write,
} from '../../database/dialect.js';
import { kindsOf } from '../../database/schema/table-definition.js';
import { OUTBOX_TABLES } from '../../database/schema/thorn-tables.js';
import { type Gate, rowsOf } from '../../database/transaction-proof.js';
import { keyOf } from './keys.js';
import { HELD, IS_HELD, type Lease, type NewLease } from './leases.js';
import {
  type LoadedMessage,
  MESSAGE_COLUMNS,
  type MessageNumber,
  messageSelection,
  NUMBERED,
} from './messages.js';
import type { Target } from './table-names.js';

// The statements on `thorn_pending_messages`: messages some of whose deliveries have no row yet, with their leases.

/** A message whose ordered deliveries enter their queues. */
export interface EnteringMessage {
  readonly id: string;
  readonly lease: string;
}

/** A message that gets a lease with its row. */
export interface PendingMessage {
  readonly id: string;
  readonly keyHash: string | null;
  readonly sequence: number | null;
}

const { pendingMessages } = OUTBOX_TABLES;
const PENDING = [pendingMessages.name];
const KEYED: Columns = kindsOf(pendingMessages, ['id', 'key_hash', 'sequence']);
// Names of their own, because SQLite returns columns without their table's name.
const TAKEN: Columns = { held_id: 'uuid', held_by: 'text' };

// ── stage ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Inserts the leases of messages. @param gate default: whatever transaction it is */
export function insertPending(
  { dialect, tables: { pendingMessages: table } }: Target,
  messages: readonly PendingMessage[],
  { token, leasedUntil }: NewLease,
  gate?: Gate,
): Write {
  const [first] = messages;
  const lease = leaseParameters(dialect);
  if (messages.length === 1 && first!.keyHash === null) {
    const sql = `INSERT INTO ${table} (id, lease, due_at) ${rowsOf([`${dialect.parameter('uuid')}, ${lease}`], gate)}`;
    return { ...write(sql, [keyOf('msg_', first!.id), token, leasedUntil]), tables: PENDING };
  }
  const rows = messages.map(({ id, keyHash, sequence }) => ({
    id: keyOf('msg_', id),
    key_hash: keyHash,
    sequence,
  }));
  const sql = `INSERT INTO ${table} (id, key_hash, sequence, lease, due_at) SELECT r.id, r.key_hash, r.sequence, ${lease} FROM ${dialect.rows('r', KEYED)}${gate === undefined ? '' : ` WHERE ${gate.condition}`}`;
  return {
    ...write(sql, [token, leasedUntil, dialect.rowsParameter(KEYED, rows)]),
    tables: PENDING,
  };
}

/** Inserts the leases of the rows `stored`, which another part of the same statement of PostgreSQL writes. */
export function insertPendingOfStored(
  { dialect, tables: { pendingMessages: table } }: Target,
  messages: readonly PendingMessage[],
  { token, leasedUntil }: NewLease,
): Write {
  const lease = leaseParameters(dialect);
  const keyed = messages.filter(({ keyHash }) => keyHash !== null);
  if (keyed.length === 0) {
    const sql = `INSERT INTO ${table} (id, lease, due_at) SELECT id, ${lease} FROM stored`;
    return { ...write(sql, [token, leasedUntil]), tables: PENDING };
  }
  const hashes = keyed.map(() => '(?::uuid, ?::uuid)').join(', ');
  const sql = `INSERT INTO ${table} (id, key_hash, sequence, lease, due_at) SELECT s.id, k.key_hash, s.sequence, ${lease} FROM stored s LEFT JOIN (VALUES ${hashes}) AS k(id, key_hash) ON k.id = s.id`;
  const pairs = keyed.flatMap(({ id, keyHash }) => [keyOf('msg_', id), keyHash]);
  return { ...write(sql, [token, leasedUntil, ...pairs]), tables: PENDING };
}

/** The parameters of a lease: its token, and its end. */
function leaseParameters({ parameter }: Dialect): string {
  return `${parameter('text')}, ${parameter('bigint')}`;
}

/** Gives messages other numbers. Index: the primary key. */
export function renumberPending(
  { dialect, tables }: Target,
  numbers: readonly MessageNumber[],
): Write {
  const rows = dialect.rows('r', NUMBERED);
  return write(
    dialect.updateFrom(tables.pendingMessages, ['sequence = r.sequence'], rows, 't.id = r.id'),
    [dialect.rowsParameter(NUMBERED, numbers)],
  );
}

// ── claim ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Claims due messages that nobody holds, or whose lease has expired, on databases whose UPDATE can return rows; on PostgreSQL
 * it returns the messages. Index: (due_at), then the primary keys.
 */
export function claimPending(
  target: Target,
  { token, leasedUntil }: NewLease,
  now: number,
  limit: number,
): Select<LoadedMessage> {
  const { dialect, tables } = target;
  // For the planner of PostgreSQL an array is a few rows: then it looks messages up instead of reading all of them.
  const picked =
    dialect.name === 'postgres'
      ? '= ANY(ARRAY(SELECT id FROM picked))'
      : 'IN (SELECT id FROM picked)';
  const sql = `WITH picked AS (${due(target, limit)}) UPDATE ${tables.pendingMessages} SET lease = ?, due_at = ? WHERE id ${picked} RETURNING id`;
  return loaded(target, { sql, parameters: [now, token, leasedUntil] });
}

/** The messages that {@link claimPending} would take, locked where the database can. Index: (due_at), then the primary key. */
export function selectDuePending(
  target: Target,
  now: number,
  limit: number,
): Select<LoadedMessage> {
  return select(loading(target, `(${due(target, limit)}) AS r`), [now]);
}

function due({ dialect, tables }: Target, limit: number): string {
  return `SELECT id FROM ${tables.pendingMessages} WHERE due_at <= ? ORDER BY due_at LIMIT ${limit} ${dialect.skipLocked}`;
}

/**
 * Takes messages over from other holders, as long as each row carries the token that is given. As {@link claimPending} where
 * UPDATE can return rows. Index: the primary keys.
 */
export function takePendingOver(
  target: Target,
  held: readonly Lease[],
  { token, leasedUntil }: NewLease,
): Select<LoadedMessage> | Write {
  const { dialect, tables } = target;
  const update = dialect.updateFrom(
    tables.pendingMessages,
    ['lease = ?', 'due_at = ?'],
    dialect.rows('r', TAKEN),
    't.id = r.held_id AND t.lease = r.held_by',
  );
  const json = takenRows(target, held);
  // MySQL takes the row source before SET.
  if (!dialect.returns) return write(update, [json, token, leasedUntil]);
  const returning = dialect.name === 'postgres' ? 't.id' : 'id';
  const sql = `${update} RETURNING ${returning}`;
  return loaded(target, { sql, parameters: [token, leasedUntil, json] });
}

/** The messages that {@link takePendingOver} has taken, on databases whose UPDATE cannot return rows. Index: the primary keys. */
export function selectTakenOver(
  target: Target,
  held: readonly Lease[],
  token: string,
): Select<LoadedMessage> {
  const { dialect, tables } = target;
  const taken = `(SELECT t.id FROM ${dialect.rows('r', TAKEN)} ${dialect.join} ${tables.pendingMessages} t ON t.id = r.held_id AND t.lease = ?) AS r`;
  return select(loading(target, taken), [takenRows(target, held), token]);
}

/** The messages of claimed rows, on SQLite, which cannot read them in the UPDATE. Index: the primary key. */
export function selectClaimed(target: Target, keys: readonly unknown[]): Select<LoadedMessage> {
  const { rows, parameter } = idRows(target.dialect, keys);
  return select(loading(target, rows), [parameter]);
}

function takenRows({ dialect }: Target, held: readonly Lease[]): string {
  return dialect.rowsParameter(
    TAKEN,
    held.map((one) => ({ held_id: keyOf('msg_', one.id), held_by: one.token })),
  );
}

/** An UPDATE that returns ids, with their messages on PostgreSQL. */
function loaded(target: Target, { sql, parameters }: Statement): Select<LoadedMessage> {
  const isOne = target.dialect.name === 'postgres';
  return select(isOne ? `WITH r AS (${sql}) ${loading(target, 'r')}` : sql, parameters);
}

/** Reads the messages of ids `r`. One without its message, which was deleted by hand, counts as expunged. */
function loading({ dialect, tables }: Target, rows: string): string {
  return `SELECT r.id AS id, ${messageSelection(dialect, MESSAGE_COLUMNS.slice(1))} FROM ${rows} LEFT JOIN ${tables.messages} m ON m.id = r.id`;
}

// ── fan-out, record ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Lets later messages of their keys go on: these have their deliveries. Index: the primary key. */
export function clearKeyById({ dialect, tables }: Target, messages: readonly EnteringMessage[]) {
  return write(
    dialect.updateFrom(
      tables.pendingMessages,
      ['key_hash = NULL'],
      dialect.rows('r', HELD),
      IS_HELD,
    ),
    [dialect.rowsParameter(HELD, messages)],
  );
}

/** The columns of a row of {@link finishPending}: also the keys between which the message's deliveries are, and their number. */
const FINISHED: Columns = { ...HELD, first_id: 'uuid', last_id: 'uuid', deliveries: 'int' };

/** The rows that a part of a statement on PostgreSQL has inserted. Its other parts do not see them in the table. */
export const INSERTED = 'inserted';

/**
 * Ends messages whose deliveries all have a row. Index: the primary keys of pending messages and of deliveries.
 *
 * @param counts `rows`: deliveries are counted in their table. `inserted`: and among {@link INSERTED}. `none`: they were counted
 */
export function finishPending(
  { dialect, tables: { deliveries, pendingMessages: table } }: Target,
  counts: 'rows' | 'inserted' | 'none',
): BulkStatement {
  const counted = `(SELECT COUNT(*) FROM ${deliveries} d WHERE d.id >= r.first_id AND d.id <= r.last_id AND d.message_id = r.id)`;
  const [joined, condition] = {
    rows: ['', ` AND r.deliveries <= ${counted}`],
    inserted: [
      ` LEFT JOIN (SELECT message_id, COUNT(*) AS rows FROM ${INSERTED} GROUP BY message_id) i ON i.message_id = r.id`,
      ` AND (r.deliveries <= COALESCE(i.rows, 0) OR r.deliveries <= COALESCE(i.rows, 0) + ${counted})`,
    ],
    none: ['', ''],
  }[counts];
  return new BulkStatement(dialect, FINISHED, (rows) =>
    dialect.deleteFrom(table, `${rows}${joined}`, `${IS_HELD}${condition}`),
  );
}

/** Releases messages some of whose deliveries have no row yet, until a time. Index: the primary key. */
export function postponePending({ dialect, tables }: Target): BulkStatement {
  return new BulkStatement(dialect, { ...HELD, again_at: 'bigint' }, (rows) =>
    dialect.updateFrom(
      tables.pendingMessages,
      ['lease = NULL', 'due_at = r.again_at'],
      rows,
      IS_HELD,
    ),
  );
}
