import type {
  DataSource,
  EntityManager,
  EntityMetadata,
  ObjectLiteral,
  SelectQueryBuilder,
} from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { setEmptyLinks } from '../rows/entity-values.js';
import type { Column, RelationMetadata } from '../rows/columns.js';
import { isMySql, isPostgres, lock } from '../rows/row-lock.js';
import type { SingleRow } from '../rows/single-row.js';
import type { WriteBuilder } from './write-builders.js';

/** The largest number of parameters of a statement, minus those of the write itself. */
const MOST_PARAMETERS = { postgres: 65_000, sqlite: 32_000 };

/** Which rows to read, and what with them. */
interface Matching {
  readonly metadata: EntityMetadata;
  /** Relations whose ids are read, where a key of the row holds them. */
  readonly relations: readonly RelationMetadata[];
  /** True if the write keeps the keys of its rows: other rows may go on to refer to them. */
  readonly keepsKeys: boolean;
  /** No more rows than this. */
  readonly limit: number;
  /** Reads a row that the condition names by its key. Default: it is read like several rows. */
  readonly single?: SingleRow | undefined;
}

/** Reads the rows that a query builder is about to write, by its own condition, and locks them where the database can. */
export async function readMatched(
  builder: WriteBuilder,
  manager: EntityManager,
  { metadata, relations, keepsKeys, limit, single }: Matching,
): Promise<ObjectLiteral[]> {
  const key = relations.length === 0 ? onlyKey(builder, metadata) : undefined;
  if (key !== undefined && single?.canRead(manager, key) === true) {
    const row = await single.read(manager, key, { keepsKeys });
    return row === undefined ? [] : [row];
  }
  const { expressionMap: writing } = builder;
  const { deleteDateColumn } = metadata;
  const from = manager.createQueryBuilder<ObjectLiteral>(metadata.target, metadata.tableName);
  const query = wholeRows(likeWrite(from, builder), relations);
  if (writing.queryType === 'soft-delete' || writing.queryType === 'restore') {
    const name = dataSourceOf(manager).driver.escape(deleteDateColumn!.databaseName);
    query.andWhere(`${name} IS ${writing.queryType === 'soft-delete' ? 'NULL' : 'NOT NULL'}`);
  }
  query.limit(writing.limit === undefined ? limit : Math.min(writing.limit, limit));
  lock(query, dataSourceOf(manager), keepsKeys);
  const rows = await query.getMany();
  for (const row of rows) setEmptyLinks(row, relations);
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
  const dataSource = dataSourceOf(manager);
  const from = manager.createQueryBuilder<ObjectLiteral>(tableName, tableName).select([]);
  columns.forEach(({ databaseName }, index) => {
    const path = [tableName, databaseName].map((name) => dataSource.driver.escape(name));
    from.addSelect(path.join('.'), `key${index}`);
  });
  const query = likeWrite(from, builder).limit(limit);
  lock(query, dataSource, false);
  // Raw, because TypeORM makes no objects of such rows.
  const found = await query.getRawMany<ObjectLiteral>();
  return found.map((raw) => {
    const link: ObjectLiteral = {};
    columns.forEach((column, index) => column.setEntityValue(link, raw[`key${index}`]));
    return link;
  });
}

/**
 * Makes a query of one table with the condition of a query builder that writes to it. Such a condition names columns
 * without an alias, or with the table's name. So the query is turned into a write, for which TypeORM puts no alias
 * before columns, and then back into a read.
 */
function likeWrite(
  from: SelectQueryBuilder<ObjectLiteral>,
  { expressionMap: writing }: WriteBuilder,
): SelectQueryBuilder<ObjectLiteral> {
  const query = from.update().select();
  if (writing.wheres.length > 0) {
    query.expressionMap.wheres.push({ type: 'simple', condition: [...writing.wheres] });
  }
  query.setParameters(writing.parameters).orderBy({ ...writing.orderBys });
  for (const { queryBuilder, alias, options } of writing.commonTableExpressions) {
    query.addCommonTableExpression(queryBuilder, alias, options);
  }
  return query;
}

/** A query for whole rows of one table, soft-removed ones too. */
export function rowsQuery(
  manager: EntityManager,
  metadata: EntityMetadata,
  relations: readonly RelationMetadata[],
): SelectQueryBuilder<ObjectLiteral> {
  return wholeRows(manager.createQueryBuilder(metadata.target, metadata.tableName), relations);
}

function wholeRows(
  query: SelectQueryBuilder<ObjectLiteral>,
  relations: readonly RelationMetadata[],
): SelectQueryBuilder<ObjectLiteral> {
  query.withDeleted().setOption('disable-global-order');
  if (relations.length === 0) return query;
  return query.loadAllRelationIds({
    relations: relations.map(({ propertyPath }) => propertyPath),
    disableMixedMap: true,
  });
}

/** A condition for rows by their keys. */
export interface KeyCondition {
  readonly sql: string;
  readonly parameters: ObjectLiteral;
}

/** The largest number of keys that one condition may name. */
export function mostKeys(
  dataSource: DataSource,
  { primaryColumns: { length } }: EntityMetadata,
): number {
  // The driver of MySQL puts the values into the text.
  if (isMySql(dataSource)) return Infinity;
  if (!isPostgres(dataSource)) return Math.floor(MOST_PARAMETERS.sqlite / length);
  return length === 1 ? Infinity : Math.floor(MOST_PARAMETERS.postgres / length);
}

/** The condition of some rows, as the statement of a query builder that writes takes it. */
export function keyCondition(
  dataSource: DataSource,
  { primaryColumns }: EntityMetadata,
  rows: readonly ObjectLiteral[],
): KeyCondition {
  if (rows.length === 0) return { sql: '1 = 0', parameters: {} };
  const { driver } = dataSource;
  const names = primaryColumns.map(({ databaseName }) => driver.escape(databaseName));
  const valueOf = (row: ObjectLiteral, column: Column): unknown =>
    driver.preparePersistentValue(column.getEntityValue(row), column) as unknown;
  if (names.length === 1) {
    const values = rows.map((row) => valueOf(row, primaryColumns[0]!));
    // On PostgreSQL all keys are one parameter.
    const sql = isPostgres(dataSource) ? '= ANY(:thorn_ids)' : 'IN (:...thorn_ids)';
    return { sql: `${names[0]} ${sql}`, parameters: { thorn_ids: values } };
  }
  const parameters: ObjectLiteral = {};
  const keys = rows.map((row, index) => {
    const parts = primaryColumns.map((column, part) => {
      const name = `thorn_id_${index}_${part}`;
      parameters[name] = valueOf(row, column);
      return `:${name}`;
    });
    return `(${parts.join(', ')})`;
  });
  const isSqlite = !isPostgres(dataSource) && !isMySql(dataSource);
  const list = `${isSqlite ? 'VALUES ' : ''}${keys.join(', ')}`;
  return { sql: `(${names.join(', ')}) IN (${list})`, parameters };
}

/** The key that makes up the whole condition of an update or a deletion, as in `update({ id: 1 }, …)`. */
function onlyKey(
  builder: WriteBuilder,
  metadata: EntityMetadata,
): readonly (string | number | bigint)[] | undefined {
  const { queryType, wheres, limit, commonTableExpressions } = builder.expressionMap;
  const isSoft = queryType !== 'update' && queryType !== 'delete';
  if (isSoft || limit !== undefined || commonTableExpressions.length > 0) return undefined;
  const id = namedId(builder, metadata);
  const condition = wheres[0]?.condition;
  if (id === undefined || !Array.isArray(condition) || condition.length !== id.size) {
    return undefined;
  }
  const key = [...id.values()];
  return key.every(isScalar) ? key : undefined;
}

function isScalar(value: unknown): value is string | number | bigint {
  return ['string', 'number', 'bigint'].includes(typeof value);
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
