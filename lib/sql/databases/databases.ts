import { ThornConfigurationError } from '../../errors/index.js';
import type { ClientDatabase } from './client-database.js';
import { MYSQL } from './mysql.js';
import { POSTGRES } from './postgres.js';
import { SQLITE } from './sqlite.js';

export { MYSQL, POSTGRES, SQLITE };
export const DATABASES: readonly ClientDatabase[] = [POSTGRES, MYSQL, SQLITE];

/**
 * Finds the database with the name that a client or a transaction shows.
 *
 * @param databases the databases that are possible: for a transaction, only the database of its client
 * @throws `ThornConfigurationError` for any other database
 */
export function databaseNamed(
  caller: string,
  what: string,
  databases: readonly ClientDatabase[],
  name: string | undefined,
): ClientDatabase {
  const found = databases.find(({ names }) => names.includes(name ?? ''));
  if (found !== undefined) return found;
  const [database] = databases;
  throw databases.length === 1
    ? differingDatabase(caller, 'The transaction', database!, 'Pass a transaction of that client.')
    : unsupportedDatabase(caller, what, databases);
}

export function unsupportedDatabase(
  caller: string,
  what: string,
  databases: readonly ClientDatabase[],
): ThornConfigurationError {
  const titles = databases.map(({ title }) => title).join(' or ');
  return new ThornConfigurationError(
    'THORN_DATABASE_UNSUPPORTED',
    `${what} of ${caller} is not one of ${titles}, by a driver that this client is supported on. The guide on database clients lists all, with their databases and drivers.`,
    { place: caller },
  );
}

/** @param what the object that belongs to another database than the client */
export function differingDatabase(
  caller: string,
  what: string,
  { title }: ClientDatabase,
  remedy: string,
): ThornConfigurationError {
  return new ThornConfigurationError(
    'THORN_DATABASE_UNSUPPORTED',
    `${what} is not one of ${title}, as the client of ${caller} is. ${remedy}`,
    { place: caller },
  );
}
