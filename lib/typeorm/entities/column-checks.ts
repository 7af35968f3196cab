import type { DataSource, EntityMetadata } from 'typeorm';
import { ThornConfigurationError } from '../../errors/index.js';
import type { Column } from '../rows/columns.js';
import { isMySql, isPostgres } from '../rows/row-lock.js';

/**
 * Refuses primary keys that JavaScript reads with less than the database stores: no row could be found again by one.
 *
 * @throws {@link ThornConfigurationError}
 */
export function checkKeys({ name, primaryColumns }: EntityMetadata, dataSource: DataSource): void {
  const column = primaryColumns.find((one) => isReadInPart(one, dataSource));
  if (column === undefined) return;
  const { propertyPath: path } = column;
  const hasPrecision = isPostgres(dataSource) || isMySql(dataSource);
  throw new ThornConfigurationError(
    'THORN_DECLARATION_INVALID',
    `${name} has events, and its primary key (${path}) is a date or an interval. JavaScript reads it less precisely than the database stores it, so its rows could not be found again. ` +
      `${hasPrecision ? `Give ${path} precision: 3` : `Let the application set ${path}, without a default`}, or give ${name} another primary key`,
    { entity: name, column: path },
  );
}

function isReadInPart(column: Column, dataSource: DataSource): boolean {
  const { type, precision } = column;
  if (isPostgres(dataSource) && type === 'interval') return true;
  if (type !== Date && !/^(?:timestamp|datetime)/.test(String(type))) return false;
  if (isPostgres(dataSource)) return (precision ?? 6) > 3;
  if (isMySql(dataSource)) return (precision ?? 0) > 3;
  // SQLite fills in a text of another form than TypeORM writes.
  return column.isCreateDate || column.isUpdateDate || column.default !== undefined;
}

/**
 * Refuses an entity that keeps a column in a private field, behind an accessor: events compare and show copies of rows, and
 * no copy has the private fields of another object.
 *
 * @throws {@link ThornConfigurationError}
 */
export function checkPrivateColumns({ name, target, columns, relations }: EntityMetadata): void {
  for (const { propertyName, propertyPath, embeddedMetadata } of [...columns, ...relations]) {
    const type: unknown = embeddedMetadata?.type ?? target;
    if (typeof type !== 'function' || !isPrivate(type.prototype as object, propertyName)) continue;
    throw new ThornConfigurationError(
      'THORN_DECLARATION_INVALID',
      `${name}: ${propertyPath} is an accessor for a private field. Events need copies of rows, and a copy cannot have the private field. ` +
        `Declare ${propertyPath} as a property, or let the accessor keep its value in a property such as _${propertyName}`,
      { entity: name, property: propertyPath },
    );
  }
}

function isPrivate(prototype: object, property: string): boolean {
  try {
    Reflect.get(Object.create(prototype) as object, property);
    return false;
  } catch (error) {
    return error instanceof TypeError && error.message.includes('private member');
  }
}
