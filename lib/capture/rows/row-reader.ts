import { Logger } from '@nestjs/common';
import type { EntityManager, EntityMetadata, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { type Column, rowKey } from './row-key.js';
import { isMySql, isPostgres, lockWritten } from './row-lock.js';
import { And, LessThan, MoreThanOrEqual } from '../../typeorm/index.js';

/** The rows of one class to read, with their relations. */
export interface RowsWanted {
  readonly metadata: EntityMetadata;
  /** Objects that hold the ids. */
  readonly ids: readonly ObjectLiteral[];
  /** Paths of relations, each after those that it goes through. */
  readonly joins: readonly string[];
  /** Paths of columns that are not selected by default. */
  readonly hidden: readonly string[];
}

// A composite id becomes a chain of ORs, and SQLite refuses expressions deeper than 1,000.
const ROWS_PER_QUERY = 500;
const ROOT = 'thorn_row';

/**
 * Reads rows within the manager's transaction, in one query for up to 500 rows; soft-removed ones too, but no
 * soft-removed relation of theirs.
 *
 * @param locked locks them where the database can, for a write that leaves their keys as they are or does not
 * @returns the rows that exist, by {@link rowKey}
 */
export async function readRows(
  manager: EntityManager,
  { metadata, ids, joins, hidden }: RowsWanted,
  locked?: { readonly keepsKeys: boolean },
): Promise<Map<string, ObjectLiteral>> {
  const rows = new Map<string, ObjectLiteral>();
  const rounded = roundedKeys(manager, metadata);
  for (let start = 0; start < ids.length; start += ROWS_PER_QUERY) {
    const query = manager.createQueryBuilder<ObjectLiteral>(metadata.target, ROOT);
    select(query, joins, hidden);
    // After the joins, so that it holds for the rows themselves alone.
    const page = ids.slice(start, start + ROWS_PER_QUERY).map((id) => metadata.getEntityIdMap(id)!);
    query.withDeleted();
    if (rounded.length === 0) query.whereInIds(page);
    else query.where(page.map((id) => withinMillisecond(id, rounded)));
    if (locked !== undefined) lockWritten(query, manager, locked.keepsKeys);
    const found =
      rounded.length === 0 ? await query.getMany() : await readUnique(query, metadata, rounded);
    for (const row of found) rows.set(rowKey(metadata, row)!, row);
  }
  return rows;
}

/** Reads rows, without those that TypeORM takes for one because their keys are the same in milliseconds. */
async function readUnique(
  query: SelectQueryBuilder<ObjectLiteral>,
  metadata: EntityMetadata,
  rounded: readonly Column[],
): Promise<ObjectLiteral[]> {
  const { primaryColumns } = metadata;
  const text = isMySql(dataSourceOf(query)) ? 'CHAR' : 'text';
  for (const [index, { propertyPath }] of primaryColumns.entries()) {
    // In brackets, so that TypeORM does not take it for the column of the row.
    query.addSelect(`(${ROOT}.${propertyPath})`, `thorn_key_${index}`);
    query.addSelect(`CAST(${ROOT}.${propertyPath} AS ${text})`, `thorn_exact_${index}`);
  }
  const { entities, raw } = await query.getRawAndEntities<ObjectLiteral>();
  const exact = new Map<string, Set<string>>();
  for (const row of raw) {
    const valuesOf = (name: string) =>
      JSON.stringify(primaryColumns.map((_, index) => row[`${name}_${index}`] as unknown));
    const key = valuesOf('thorn_key');
    exact.set(key, (exact.get(key) ?? new Set()).add(valuesOf('thorn_exact')));
  }
  // In the order in which TypeORM has made them.
  const isUnique = [...exact.values()].map(({ size }) => size === 1);
  const unique = entities.filter((_, index) => isUnique[index]);
  const missing = entities.length - unique.length;
  if (missing > 0) logAmbiguous(metadata, rounded, missing);
  return unique;
}

/** Columns of a primary key that the database may keep in microseconds, and JavaScript in milliseconds. */
function roundedKeys(manager: EntityManager, { primaryColumns }: EntityMetadata): Column[] {
  const dataSource = dataSourceOf(manager);
  if (!isPostgres(dataSource) && !isMySql(dataSource)) return [];
  return primaryColumns.filter(
    ({ type, precision, transformer, relationMetadata }) =>
      (type === Date || /^(?:timestamp|datetime)/.test(String(type))) &&
      (precision ?? 6) > 3 &&
      transformer === undefined &&
      relationMetadata === undefined,
  );
}

/** The condition for an id whose dates have lost their microseconds. */
function withinMillisecond(id: ObjectLiteral, rounded: readonly Column[]): ObjectLiteral {
  for (const column of rounded) {
    const from: unknown = column.getEntityValue(id);
    if (!(from instanceof Date)) continue;
    const end = new Date(from.getTime() + 1);
    column.setEntityValue(id, And(MoreThanOrEqual(from), LessThan(end)));
  }
  return id;
}

function logAmbiguous({ name }: EntityMetadata, rounded: readonly Column[], count: number): void {
  const keys = rounded.map(({ propertyPath }) => propertyPath).join(', ');
  new Logger('Thorn').error(
    `${name}: events of ${count} row(s) may be missing, because other rows have the same ${keys} in milliseconds, which ` +
      'is what JavaScript reads of it. Give the column precision: 3, or the entity another primary key',
  );
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
