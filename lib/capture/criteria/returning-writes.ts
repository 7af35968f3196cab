import type { DataSource, EntityMetadata, ObjectLiteral } from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import { hasLoadHooks } from '../rows/read-back.js';
import type { Column } from '../rows/row-key.js';
import type { BulkOperation } from './bulk-operation.js';
import { namedId } from './matched-rows.js';
import { changesOfColumns, type PendingWrite, readBeyondColumns } from './row-changes.js';
import type { WriteBuilder } from './write-builders.js';
import type { BuilderWrite } from './write-context.js';

/** What the statement of a write has answered. */
interface Returned {
  readonly result: unknown;
  /** The rows that it has hit, as they were before. */
  readonly rows: readonly ObjectLiteral[];
  /** For each of these the values of the columns that were asked for besides. */
  readonly others: readonly (readonly unknown[])[];
}

const OLD = '"thorn_old"';

function isOurName(name: string): boolean {
  return /^thorn_(?:old|\d+)$/.test(name);
}

/**
 * Tells whether the statement of a write can answer its row itself, which saves reading and locking it before: on
 * PostgreSQL a deletion by id, and since version 18 an update by id, of an entity whose events need no more than its columns.
 */
export function canReturnRow(
  { context: { dataSource }, builder, metadata }: BuilderWrite,
  operation: BulkOperation,
  plan: EntityPlan,
): boolean {
  return (
    (operation === 'delete' || (operation === 'update' && knowsOldValues(dataSource))) &&
    namedId(builder, metadata) !== undefined &&
    areRowsColumns(dataSource, plan) &&
    // What the application wants returned is for it alone.
    !builder.expressionMap.returning &&
    // TypeORM fills in these itself.
    builder.expressionMap.whereEntities.length === 0 &&
    !readBeyondColumns(plan, operation) &&
    !hasLoadHooks(dataSource)
  );
}

/** Tells whether RETURNING answers all of an entity's rows: on PostgreSQL, where they are no more than columns. */
function areRowsColumns(
  { options, driver }: DataSource,
  { readBack, metadata }: EntityPlan,
): boolean {
  if (options.type !== 'postgres') return false;
  // Undefined for entities whose rows TypeORM makes of more than columns.
  const columns = readBack?.columns;
  return (
    columns !== undefined &&
    // The key may be that of a relation alone.
    metadata.primaryColumns.every((column) => columns.includes(column)) &&
    // TypeORM reads them as text of another form.
    !columns.some(({ type }) => driver.spatialTypes.includes(type as never)) &&
    ![metadata.tableName, ...columns.map(({ databaseName }) => databaseName)].some(isOurName)
  );
}

/** Makes a write that answers its row itself, and collects what it has made of that. */
export async function writeReturning(
  write: BuilderWrite,
  pending: Omit<PendingWrite, 'metadata' | 'rows'>,
): Promise<unknown> {
  const { context, metadata } = write;
  const { operation, plans, queryRunner } = pending;
  const { result, rows } = await context.read(
    metadata,
    operation,
    () => returned(write, plans[0]!.readBack!.columns),
    isRefusedColumn,
  );
  context.collect(queryRunner, changesOfColumns({ ...pending, metadata, rows }));
  return result;
}

/**
 * Makes a write whose statement answers the rows that it hits, of a builder that no other capture has changed.
 *
 * @param ofRow the columns that make the rows
 * @param otherColumns are answered as the driver reads them
 */
export async function returned(
  { builder, metadata, execute }: Pick<BuilderWrite, 'builder' | 'metadata' | 'execute'>,
  ofRow: readonly Column[],
  otherColumns: readonly Column[] = [],
): Promise<Returned> {
  const columns = [...ofRow, ...otherColumns];
  const { expressionMap } = builder;
  const isUpdate = expressionMap.queryType === 'update';
  const own = ownReturning(builder, metadata);
  const before = expressionMap.returning;
  expressionMap.returning =
    (isUpdate ? `WITH (OLD AS ${OLD}) ` : '') +
    [...own, ...selected(columns, builder, isUpdate ? `${OLD}.` : '')].join(', ');
  try {
    const result = (await execute()) as { raw: ObjectLiteral[]; generatedMaps?: unknown[] };
    const names = otherColumns.map((_, index) => nameOf(ofRow.length + index));
    const others = result.raw.map((raw) => names.map((name): unknown => raw[name]));
    const answered = rowsOf(result.raw, builder, metadata, ofRow);
    if (own.length === 0) empty(result, builder);
    else takeOut(result.raw, columns.length);
    return { result, rows: answered, others };
  } finally {
    expressionMap.returning = before;
  }
}

/** Tells whether the statement of a builder answers its rows for another capture already. */
export function isReturned({ expressionMap: { returning } }: WriteBuilder): boolean {
  return typeof returning === 'string' && returning.includes(`"${nameOf(0)}"`);
}

/** What the statement answers without us: what the application wants returned, and what TypeORM fills in of new rows. */
function ownReturning(builder: WriteBuilder, metadata: EntityMetadata): string[] {
  const { returning, queryType, updateEntity } = builder.expressionMap;
  if (typeof returning === 'string' && returning !== '') return [returning];
  const wanted = Array.isArray(returning) ? returning : [];
  const columns = new Set(wanted.flatMap((path) => metadata.findColumnsWithPropertyPath(path)));
  if (queryType === 'insert' && updateEntity) {
    for (const column of metadata.getInsertionReturningColumns()) columns.add(column);
  }
  const { driver } = dataSourceOf(builder);
  return [...columns].map(({ databaseName }) => driver.escape(databaseName));
}

/** Tells whether RETURNING of an update knows the values before: since PostgreSQL 18. */
function knowsOldValues({ driver }: DataSource): boolean {
  const { version = '' } = driver as { readonly version?: string };
  return Number.parseInt(version, 10) >= 18;
}

function selected(columns: readonly Column[], builder: WriteBuilder, of: string): string[] {
  const { driver } = dataSourceOf(builder);
  return columns.map(({ databaseName }, index) => {
    return `${of}${driver.escape(databaseName)} AS "${nameOf(index)}"`;
  });
}

/** True where a column is missing or may not be read: the application's own statement might not have named it. */
function isRefusedColumn(error: unknown): boolean {
  const { code } =
    (error as { readonly driverError?: { readonly code?: unknown } }).driverError ?? {};
  return code === '42703' || code === '42501';
}

/**
 * Leaves of a result what it would be without rows. V8 has the lists of all answers of pg among old objects after a while,
 * where they would keep their rows in memory until the next full collection.
 */
function empty(
  { raw, generatedMaps }: { raw: unknown[]; generatedMaps?: unknown[] },
  { expressionMap: { queryType } }: WriteBuilder,
): void {
  raw.length = 0;
  // Those of an insert stand for its rows of values.
  if (generatedMaps !== undefined && queryType !== 'insert') generatedMaps.length = 0;
}

/** Makes rows of plain columns as TypeORM does. */
function rowsOf(
  answered: ObjectLiteral[],
  builder: WriteBuilder,
  metadata: EntityMetadata,
  columns: readonly Column[],
): readonly ObjectLiteral[] {
  const { driver } = dataSourceOf(builder);
  const fields = columns.map((column, index) => ({
    column,
    name: nameOf(index),
    // The columns are neither virtual nor in an embedded object, so that `setEntityValue` would do no more.
    property: column.propertyName,
  }));
  const rows: ObjectLiteral[] = [];
  for (let index = 0; index < answered.length; index++) {
    const raw = answered[index]!;
    const row = metadata.create(undefined, { fromDeserializer: true }) as ObjectLiteral;
    for (const { column, name, property } of fields) {
      row[property] = driver.prepareHydratedValue(raw[name], column) as unknown;
    }
    rows.push(row);
  }
  return rows;
}

/** Leaves what TypeORM, or the application, has asked for. */
function takeOut(answered: ObjectLiteral[], columns: number): void {
  for (const raw of answered) {
    for (let index = 0; index < columns; index++) delete raw[nameOf(index)];
  }
}

function nameOf(index: number): string {
  return `thorn_${index}`;
}
