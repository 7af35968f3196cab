import { ThornConfigurationError } from '../../errors/index.js';
import type { ClientDatabase } from './client-database.js';
import { MYSQL } from './mysql.js';
import { POSTGRES } from './postgres.js';
import { SQLITE } from './sqlite.js';

export { MYSQL, POSTGRES, SQLITE };
export const DATABASES: readonly ClientDatabase[] = [POSTGRES, MYSQL, SQLITE];

/** The one of the databases that a client has shown. @throws `ThornConfigurationError` for another one */
export function databaseNamed(
  place: string,
  what: string,
  databases: readonly ClientDatabase[],
  name: string | undefined,
): ClientDatabase {
  const found = databases.find(({ names }) => names.includes(name ?? ''));
  if (found === undefined) throw unsupportedDatabase(place, what, databases);
  return found;
}

export function unsupportedDatabase(
  place: string,
  what: string,
  databases: readonly ClientDatabase[],
): ThornConfigurationError {
  const titles = databases.map(({ title }) => title).join(' or ');
  const elsewhere = databases.length === 1 ? '' : ', by a driver that this client is supported on';
  return new ThornConfigurationError(
    'THORN_DATABASE_UNSUPPORTED',
    `${what} of ${place} is not one of ${titles}${elsewhere}. The guide on database clients lists all, with their databases and drivers.`,
    { place },
  );
}
