import {
  insertRow,
  type Select,
  select as selectRows,
  type Write,
  write,
} from '../../database/dialect.js';
import type { SubscriberRow } from '../model/field-kinds.js';
import type { OwnerScope } from '../model/subscriber.js';

// The statements on `thorn_subscribers`. Each function takes the name of the table in SQL, and its comment names the index
// that serves the statement.

/** A part of the subscribers, in the order of their ids. */
export interface PageQuery {
  readonly scope: OwnerScope;
  /** The page begins after this id; null for the first page. */
  readonly after: string | null;
  /** The greatest id that the page may have; null for any. */
  readonly end: string | null;
  /** A text that the URL or the description must contain; undefined for all subscribers. */
  readonly search?: string | undefined;
}

/** A condition on rows, and the values of its placeholders. */
type Condition = readonly [sql: string, parameters: readonly unknown[]];

// Both conditions name the columns of the index (expired_at, expires_at), so that each database reads only a range of it.
const HAS_ENDED = 'expired_at IS NULL AND expires_at <= ?';
const WAS_TOLD = 'expired_at <= ? AND expires_at <= ?';

// ── One subscriber ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Index: the primary key. */
export function selectById(table: string, id: string): Select<SubscriberRow> {
  return select(table, '*', ['id = ?', [id]]);
}

/** Index: (key_hash). */
export function selectByKeyHash(table: string, hash: string): Select<SubscriberRow> {
  return select(table, '*', ['key_hash = ?', [hash]]);
}

/** The patterns of a subscriber, as JSON. Index: the primary key. */
export function selectEvents(table: string, id: string): Select<Pick<SubscriberRow, 'events'>> {
  return select(table, 'events', ['id = ?', [id]]);
}

/** Fails where the id, the key or a slot is taken: the indexes of these columns are unique. */
export function insert(table: string, row: SubscriberRow): Write {
  return insertRow(table, row);
}

/**
 * Writes some columns of a subscriber. Index: the primary key.
 *
 * @param revision the revision that was read: the statement writes nothing if the row has another revision by now
 */
export function update(
  table: string,
  id: string,
  columns: Partial<SubscriberRow>,
  revision: number,
): Write {
  const set = Object.keys(columns).map((column) => `${column} = ?`);
  const [where, parameters] = ofRevision(id, revision);
  return write(`UPDATE ${table} SET ${set.join(', ')} WHERE ${where}`, [
    ...Object.values(columns),
    ...parameters,
  ]);
}

/** Removes a subscriber. Index: the primary key. @param revision as for {@link update} */
export function remove(table: string, id: string, revision: number): Write {
  const [where, parameters] = ofRevision(id, revision);
  return write(`DELETE FROM ${table} WHERE ${where}`, parameters);
}

function ofRevision(id: string, revision: number): Condition {
  return ['id = ? AND revision = ?', [id, revision]];
}

// ── Ends of subscribers ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Subscribers whose end has passed and has not been reported yet. Index: (expired_at, expires_at). */
export function selectEnded(table: string, now: number, limit: number): Select<SubscriberRow> {
  return select(table, '*', [`${HAS_ENDED} LIMIT ?`, [now, limit]]);
}

/** Notes that the end of a subscriber is reported, unless another process has noted it. Index: the primary key. */
export function noteEnd(table: string, id: string, now: number): Write {
  return write(`UPDATE ${table} SET expired_at = ? WHERE ${HAS_ENDED} AND id = ?`, [now, now, id]);
}

/** The subscribers whose end was reported before a time. Index: (expired_at, expires_at). */
export function selectToldBefore(
  table: string,
  before: number,
  limit: number,
): Select<SubscriberRow> {
  return select(table, '*', [`${WAS_TOLD} LIMIT ?`, [before, before, limit]]);
}

/** Removes a subscriber that {@link selectToldBefore} has found, unless it was renewed. Index: the primary key. */
export function removeToldBefore(table: string, id: string, before: number): Write {
  return write(`DELETE FROM ${table} WHERE ${WAS_TOLD} AND id = ?`, [before, before, id]);
}

// ── Many subscribers ────────────────────────────────────────────────────────────────────────────────────────────────────

/** The subscribers of some ids. Index: the primary key. */
export function selectByIds(table: string, ids: readonly string[]): Select<SubscriberRow> {
  return select(table, '*', [`id IN (${ids.map(() => '?').join(', ')})`, ids]);
}

/** Index: (owner, id). */
export function selectByOwner(table: string, owner: string): Select<SubscriberRow> {
  return select(table, '*', ['owner = ?', [owner]]);
}

/** Index: (owner, id); the primary key for subscribers of all owners. A search reads each row up to the `end` of the page. */
export function selectPage(table: string, page: PageQuery, limit: number): Select<SubscriberRow> {
  const [where, parameters] = onPage(page);
  return select(table, '*', [`${where} ORDER BY id LIMIT ?`, [...parameters, limit]]);
}

/** The id of the row at a place of a page, counted from 0. Index: as {@link selectPage}. */
export function selectIdAt(
  table: string,
  page: PageQuery,
  place: number,
): Select<Pick<SubscriberRow, 'id'>> {
  const [where, parameters] = onPage(page);
  return select(table, 'id', [`${where} ORDER BY id LIMIT 1 OFFSET ${place}`, parameters]);
}

/** Ids and owners of all subscribers in scope. Index: (owner, id); none for subscribers of all owners. */
export function selectIds(
  table: string,
  scope: OwnerScope,
): Select<Pick<SubscriberRow, 'id' | 'owner'>> {
  return select(table, 'id, owner', within(scope));
}

/** The owners of the disabled subscribers in scope. Index: (owner, id). */
export function selectOwnersOfDisabled(
  table: string,
  scope: OwnerScope,
): Select<Pick<SubscriberRow, 'owner'>> {
  const [where, parameters] = within(scope);
  return select(table, 'owner', [`${where} AND enabled = ?`, [...parameters, 0]]);
}

/** The number of disabled subscribers. Index: none, the statement reads all rows. */
export function countDisabled(table: string): Select<{ readonly n: number | string }> {
  return select(table, 'COUNT(*) AS n', ['enabled = ?', [0]]);
}

/** Subscribers with another body than that of the message. Index: none, the statement reads all rows. */
export function selectShaped(
  table: string,
  shape: 'thin' | 'template',
  limit: number,
): Select<Pick<SubscriberRow, 'id'>> {
  const has: Condition = shape === 'thin' ? ['thin = ?', [1]] : ['template IS NOT NULL', []];
  return select(table, 'id', [`${has[0]} ORDER BY id LIMIT ${limit}`, has[1]]);
}

// ── All subscribers, for the copy in memory ─────────────────────────────────────────────────────────────────────────────

/** Subscribers with a greater id. Index: the primary key. */
export function selectAllAfter(table: string, after: string, limit: number): Select<SubscriberRow> {
  return select(table, '*', [`id > ? ORDER BY id LIMIT ${limit}`, [after]]);
}

/** Subscribers with a greater id that were written at a time or later. Index: (updated_at, revision). */
export function selectChangedAfter(
  table: string,
  after: string,
  since: number,
  limit: number,
): Select<SubscriberRow> {
  const sql = `updated_at >= ? AND id > ? ORDER BY id LIMIT ${limit}`;
  return select(table, '*', [sql, [since, after]]);
}

/** Id and revision of the subscribers with a greater id. Index: the primary key. */
export function selectRevisionsAfter(
  table: string,
  after: string,
  limit: number,
): Select<Pick<SubscriberRow, 'id' | 'revision'>> {
  return select(table, 'id, revision', [`id > ? ORDER BY id LIMIT ${limit}`, [after]]);
}

/**
 * The number of rows, and the sum of their revisions. Index: (updated_at, revision), which has every column that the
 * statement reads.
 */
export function selectChecksum(
  table: string,
): Select<{ readonly n: number | string; readonly total: number | string | null }> {
  return select(table, 'COUNT(*) AS n, SUM(revision) AS total', ['1 = 1', []]);
}

// ── Parts of statements ─────────────────────────────────────────────────────────────────────────────────────────────────

function select<Row>(table: string, columns: string, [where, parameters]: Condition): Select<Row> {
  return selectRows(`SELECT ${columns} FROM ${table} WHERE ${where}`, parameters);
}

function within(scope: OwnerScope): Condition {
  if (scope === 'any') return ['1 = 1', []];
  return scope.owner === null ? ['owner IS NULL', []] : ['owner = ?', [scope.owner]];
}

function onPage({ scope, after, end, search }: PageQuery): Condition {
  const conditions = [within(scope)];
  if (after !== null) conditions.push(['id > ?', [after]]);
  if (end !== null) conditions.push(['id <= ?', [end]]);
  if (search !== undefined) {
    const held = `%${search.replaceAll(/[!%_]/g, '!$&')}%`;
    const holds = (column: string) => `LOWER(${column}) LIKE LOWER(?) ESCAPE '!'`;
    conditions.push([`(${holds('url')} OR ${holds('description')})`, [held, held]]);
  }
  return [
    conditions.map(([sql]) => sql).join(' AND '),
    conditions.flatMap(([, parameters]) => parameters),
  ];
}
