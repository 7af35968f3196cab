import { type DataSource, type EntityMetadata, type ObjectLiteral, TableColumn } from 'typeorm';
import type { Column } from '../rows/row-key.js';

type Driver = DataSource['driver'];

/** Types of which a value may have several texts. */
const CANONICAL =
  /^(?:smallint|integer|bigint|numeric|real|double precision|boolean|uuid|bytea|date|time|timestamp|character(?! varying))/;

/** Values of a key's columns as texts that {@link keyExpression} reads, by the columns' names. */
export function databaseKey(
  { primaryColumns }: EntityMetadata,
  id: ObjectLiteral,
  driver: Driver,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    primaryColumns.map((column) => [
      column.databaseName,
      textOf(column, column.getEntityValue(id), driver),
    ]),
  );
}

/** The SQL that makes of `r.k` the key as `thorn_report_change()` writes it. */
export function keyExpression(metadata: EntityMetadata, driver: Driver): string {
  const parts = metadata.primaryColumns.flatMap((column) => {
    const name = `'${column.databaseName.replaceAll("'", "''")}'`;
    const type = driver.normalizeType(column);
    const value = `r.k ->> ${name}`;
    return [
      name,
      CANONICAL.test(type) ? `to_jsonb((${value})::${fullTypeOf(column, driver)}) #>> '{}'` : value,
    ];
  });
  return `jsonb_build_object(${parts.join(', ')})`;
}

function textOf(column: Column, value: unknown, driver: Driver): string {
  const stored: unknown = driver.preparePersistentValue(value, column);
  if (stored instanceof Uint8Array) return `\\x${Buffer.from(stored).toString('hex')}`;
  if (stored instanceof Date) return textOfDate(stored, driver.normalizeType(column));
  return typeof stored === 'object' ? JSON.stringify(stored) : String(stored);
}

/** As the driver writes it: local time where the column has no zone. */
function textOfDate(date: Date, type: string): string {
  if (!type.endsWith('without time zone')) return date.toISOString();
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, -1);
}

function fullTypeOf(column: Column, driver: Driver): string {
  const { length, precision = null, scale } = column;
  const type = driver.normalizeType(column);
  return driver.createFullType(
    new TableColumn({ name: type, type, length, precision, ...(scale !== undefined && { scale }) }),
  );
}
