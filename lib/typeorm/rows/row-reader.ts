import type { EntityManager, EntityMetadata, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { entityRowKey } from './columns.js';
import { lockWritten } from './row-lock.js';
import type { RowLock, SingleRow } from './single-row.js';

/** The rows of one class to read, with their relations. */
export interface RowsWanted {
  readonly metadata: EntityMetadata;
  /** Objects that hold the ids. */
  readonly ids: readonly ObjectLiteral[];
  /** Paths of relations, each after the paths that lead to it. */
  readonly joins: readonly string[];
  /** Paths of columns that are not selected by default. */
  readonly hidden: readonly string[];
  /** Reads a single row. Default: it is read like several rows. */
  readonly single?: SingleRow | undefined;
}

// A composite id becomes a chain of ORs, and SQLite refuses expressions deeper than 1,000.
const ROWS_PER_QUERY = 500;
const ROOT = 'thorn_row';

/**
 * Reads rows within the manager's transaction, in one query for up to 500 rows; soft-removed ones too, but no
 * soft-removed relation of theirs.
 *
 * @param locked locks them where the database can, for a write that leaves their keys as they are or does not
 * @returns the rows that exist, by {@link entityRowKey}
 */
export async function readRows(
  manager: EntityManager,
  { metadata, ids, joins, hidden, single }: RowsWanted,
  locked?: RowLock,
): Promise<Map<string, ObjectLiteral>> {
  const rows = new Map<string, ObjectLiteral>();
  if (single !== undefined && ids.length === 1 && joins.length + hidden.length === 0) {
    const key = single.keyOf(manager, ids[0]!);
    if (single.canRead(manager, key)) {
      const row = await single.read(manager, key, locked);
      if (row !== undefined) rows.set(entityRowKey(metadata, row)!, row);
      return rows;
    }
  }
  for (let start = 0; start < ids.length; start += ROWS_PER_QUERY) {
    const query = manager.createQueryBuilder<ObjectLiteral>(metadata.target, ROOT);
    select(query, joins, hidden);
    // After the joins, so that it applies to the rows themselves and not to joined rows.
    const page = ids.slice(start, start + ROWS_PER_QUERY).map((id) => metadata.getEntityIdMap(id)!);
    query.withDeleted().whereInIds(page);
    if (locked !== undefined) lockWritten(query, manager, locked.keepsKeys);
    for (const row of await query.getMany()) rows.set(entityRowKey(metadata, row)!, row);
  }
  return rows;
}

function select(
  query: SelectQueryBuilder<ObjectLiteral>,
  joins: readonly string[],
  hidden: readonly string[],
): void {
  const aliases = new Map<string, string>();
  const locate = (path: string): string => {
    const parent = joins
      .filter((join) => path.startsWith(`${join}.`))
      .reduce((longest, join) => (join.length > longest.length ? join : longest), '');
    return parent === ''
      ? `${ROOT}.${path}`
      : `${aliases.get(parent)!}.${path.slice(parent.length + 1)}`;
  };
  for (const join of joins) {
    const alias = `thorn_${aliases.size}`;
    query.leftJoinAndSelect(locate(join), alias);
    aliases.set(join, alias);
  }
  for (const path of hidden) query.addSelect(locate(path));
}
