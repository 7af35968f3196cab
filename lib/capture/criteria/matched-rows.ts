import type {
  DataSource,
  EntityManager,
  EntityMetadata,
  ObjectLiteral,
  SelectQueryBuilder,
} from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { isEmptyLink, setRelation } from '../rows/entity-values.js';
import { type Column, isReadInFull } from '../rows/row-key.js';
import { isMySql, isPostgres, lock } from '../rows/row-lock.js';
import type { RelationMetadata } from '../rows/typeorm-types.js';
import type { WriteBuilder } from './write-builders.js';

// SQLite takes 32,766 parameters in a statement, some of them the write's own, and refuses expressions deeper than 1,000.
const SQLITE_KEYS = { single: 32_000, composite: 500 };

/** Which rows to read, and what with them. */
interface Matching {
  readonly metadata: EntityMetadata;
  /** Relations whose ids are read, where a key of the row holds them. */
  readonly relations: readonly RelationMetadata[];
  /** True if the write leaves keys as they are: others may go on to refer to the rows. */
  readonly keepsKeys: boolean;
  /** No more rows than this. */
  readonly limit: number;
}

/** Reads the rows that a query builder is about to write, by its own condition, and locks them where the database can. */
export async function readMatched(
  builder: WriteBuilder,
  manager: EntityManager,
  { metadata, relations, keepsKeys, limit }: Matching,
): Promise<ObjectLiteral[]> {
  const query = likeWrite(rowsQuery(manager, metadata, relations), builder);
  const { expressionMap: writing } = builder;
  const { expressionMap: reading } = query;
  const { deleteDateColumn } = metadata;
  if (writing.queryType === 'soft-delete' || writing.queryType === 'restore') {
    const name = dataSourceOf(manager).driver.escape(deleteDateColumn!.databaseName);
    const state = writing.queryType === 'soft-delete' ? 'NULL' : 'NOT NULL';
    reading.wheres.push({ type: 'and', condition: `${name} IS ${state}` });
  }
  query.limit(writing.limit === undefined ? limit : Math.min(writing.limit, limit));
  lock(query, dataSourceOf(manager), keepsKeys);
  const rows = await query.getMany();
  for (const row of rows) {
    for (const relation of relations) {
      if (isEmptyLink(relation.getEntityValue(row), relation)) setRelation(row, relation, null);
    }
  }
  return rows;
}

/**
 * Reads the rows of a junction table that a query builder is about to delete, by its own condition, and locks them where
 * the database can.
 */
export async function readUnlinked(
  builder: WriteBuilder,
  manager: EntityManager,
  { tableName, columns }: EntityMetadata,
  limit: number,
): Promise<ObjectLiteral[]> {
  const query = manager.createQueryBuilder<ObjectLiteral>(tableName, tableName).select([]);
  const dataSource = dataSourceOf(manager);
  columns.forEach(({ databaseName }, index) => {
    const path = [tableName, databaseName].map((name) => dataSource.driver.escape(name));
    query.addSelect(path.join('.'), `key${index}`);
  });
  likeWrite(query, builder);
  lock(query.limit(limit), dataSource, false);
  // TypeORM makes no objects of such rows.
  const found = await query.getRawMany<ObjectLiteral>();
  return found.map((raw) => {
    const link: ObjectLiteral = {};
    columns.forEach((column, index) => column.setEntityValue(link, raw[`key${index}`]));
    return link;
  });
}

/** Gives a query of one table the condition of a query builder that writes to it. */
function likeWrite(
  query: SelectQueryBuilder<ObjectLiteral>,
  { expressionMap: writing }: WriteBuilder,
): SelectQueryBuilder<ObjectLiteral> {
  const { expressionMap: reading } = query;
  // A condition of a write names columns without an alias, or with the table's name.
  reading.aliasNamePrefixingEnabled = false;
  reading.wheres = writing.wheres.map((where) => ({ ...where }));
  reading.parameters = { ...writing.parameters };
  reading.commonTableExpressions = writing.commonTableExpressions;
  reading.orderBys = { ...writing.orderBys };
  return query;
}

/** A query for whole rows of one table, soft-removed ones too. */
export function rowsQuery(
  manager: EntityManager,
  metadata: EntityMetadata,
  relations: readonly RelationMetadata[],
): SelectQueryBuilder<ObjectLiteral> {
  const query = manager
    .createQueryBuilder<ObjectLiteral>(metadata.target, metadata.tableName)
    .withDeleted()
    .setOption('disable-global-order');
  if (relations.length > 0) {
    query.loadAllRelationIds({
      relations: relations.map(({ propertyPath }) => propertyPath),
      disableMixedMap: true,
    });
  }
  return query;
}

/**
 * Narrows a write to the rows that were read, for the time of `execute`: where others may commit matching rows in
 * between, or its condition may match others the second time, it would hit rows that nobody has read.
 */
export async function onlyRead<Result>(
  builder: WriteBuilder,
  metadata: EntityMetadata,
  rows: readonly ObjectLiteral[],
  execute: () => Promise<Result>,
): Promise<Result> {
  const { expressionMap } = builder;
  if (!canNarrow(builder, metadata, rows)) return execute();
  const { wheres } = expressionMap;
  expressionMap.wheres = [{ type: 'simple', condition: keyCondition(builder, metadata, rows) }];
  try {
    return await execute();
  } finally {
    expressionMap.wheres = wheres;
  }
}

/** Keeps a write from hitting some rows, for the time of `execute`. */
export async function without<Result>(
  builder: WriteBuilder,
  metadata: EntityMetadata,
  rows: readonly ObjectLiteral[],
  execute: () => Promise<Result>,
): Promise<Result> {
  const { expressionMap } = builder;
  const { extraAppendedAndWhereCondition: appended } = expressionMap;
  expressionMap.extraAppendedAndWhereCondition = `NOT (${keyCondition(builder, metadata, rows)})`;
  try {
    return await execute();
  } finally {
    expressionMap.extraAppendedAndWhereCondition = appended;
  }
}

/** Tells whether keys can narrow a write to the rows that were read. */
function canNarrow(
  builder: WriteBuilder,
  metadata: EntityMetadata,
  rows: readonly ObjectLiteral[],
): boolean {
  if (rows.length === 1 && namedId(builder, metadata) !== undefined) return false;
  // Such a key would not find its row again. That others were hit is seen in the number of rows.
  if (!metadata.primaryColumns.every(isReadInFull)) return false;
  return rows.length <= mostKeys(dataSourceOf(builder), metadata);
}

/** The number of rows that a write has hit, where that may differ from those that were read, and is known. */
export function rowsHit(
  builder: WriteBuilder,
  metadata: EntityMetadata,
  rows: readonly ObjectLiteral[],
  result: unknown,
): number | undefined {
  const dataSource = dataSourceOf(builder);
  if (!isPostgres(dataSource)) {
    // A row that the database has removed with another one is not counted.
    if (canNarrow(builder, metadata, rows)) return undefined;
    // As it is connected, MySQL may count changed rows alone.
    if (isMySql(dataSource) && builder.expressionMap.queryType === 'update') return undefined;
  }
  return (result as { readonly affected?: number | null }).affected ?? undefined;
}

/** The id that the condition of a query builder names, if no other row can meet that; as the database gets it. */
export function namedId(
  { expressionMap: { wheres, parameters } }: WriteBuilder,
  { primaryColumns }: EntityMetadata,
): ReadonlyMap<Column, unknown> | undefined {
  const [where, ...others] = wheres;
  if (where === undefined || others.length > 0 || !Array.isArray(where.condition)) return undefined;
  const named = new Map<string, string>();
  for (const { type, condition } of where.condition) {
    if (type !== 'and') return undefined;
    if (typeof condition !== 'object' || !('parameters' in condition)) continue;
    const { operator, parameters: operands } = condition;
    // TypeORM 0.3 takes an id for a list of one.
    const isOne = operator === 'equal' || (operator === 'in' && operands.length === 2);
    if (isOne) named.set(String(operands[0]), String(operands[1]));
  }
  const id = new Map<Column, unknown>();
  for (const column of primaryColumns) {
    const parameter = named.get(column.propertyPath);
    if (parameter === undefined) return undefined;
    id.set(column, parameters[parameter.replace(/^:/, '')]);
  }
  return id;
}

/** The most keys that a statement may have. */
function mostKeys(dataSource: DataSource, { primaryColumns }: EntityMetadata): number {
  if (isPostgres(dataSource) || isMySql(dataSource)) return Infinity;
  return primaryColumns.length === 1 ? SQLITE_KEYS.single : SQLITE_KEYS.composite;
}

function keyCondition(
  builder: WriteBuilder,
  { primaryColumns }: EntityMetadata,
  rows: readonly ObjectLiteral[],
): string {
  if (rows.length === 0) return '1 = 0';
  const { driver } = dataSourceOf(builder);
  const names = primaryColumns.map(({ databaseName }) => driver.escape(databaseName));
  const valueOf = (row: ObjectLiteral, column: EntityMetadata['columns'][number]): unknown =>
    driver.preparePersistentValue(column.getEntityValue(row), column) as unknown;
  if (names.length === 1) {
    const values = rows.map((row) => valueOf(row, primaryColumns[0]!));
    builder.setParameter('thorn_ids', values);
    // One parameter, however many they are.
    if (isPostgres(dataSourceOf(builder))) return `${names[0]} = ANY(:thorn_ids)`;
    return `${names[0]} IN (:...thorn_ids)`;
  }
  const keys = rows.map((row, index) => {
    const equal = primaryColumns.map((column, part) => {
      const parameter = `thorn_id_${index}_${part}`;
      builder.setParameter(parameter, valueOf(row, column));
      return `${names[part]} = :${parameter}`;
    });
    return `(${equal.join(' AND ')})`;
  });
  return keys.join(' OR ');
}
