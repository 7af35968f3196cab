import { inject } from 'vitest';
import { type Platform, platforms } from './apps/api-app.js';
import { type DatabaseKind, sqliteAndPostgres } from './databases.js';

/** A database, and whether MySQL's driver talks to MariaDB, which is the server that there is. */
export interface Place {
  readonly kind: DatabaseKind;
  readonly type?: 'mysql';
}

const alike = inject('databasesAlike');
const hasEveryPair = inject('everyPair');

/** For `describe.each()` where the code does the same on every database: those of `npm test`, or the one of `npm run test:rest`. */
export const PLACES_ALIKE: readonly Place[] = alike.map((name) => ({
  kind: name === 'sqlite' ? 'file' : name,
}));

/** Where the code has a branch for each of them. MySQL's driver has that of MariaDB, and its turn in `npm run test:rest`. */
export const EVERY_DIALECT: readonly Place[] = alike.includes('mariadb')
  ? [{ kind: 'mariadb', type: 'mysql' }]
  : [{ kind: 'file' }, { kind: 'postgres' }, { kind: 'mariadb' }];

/** Where the code does the same on every platform. */
export const PLATFORMS_ALIKE: readonly Platform[] = hasEveryPair ? platforms : ['express'];

/**
 * Databases with platforms, for whole applications: both databases and both platforms, and each with each in
 * `npm run test:rest`.
 */
export const PAIRS = pairs(sqliteAndPostgres);

/** The same for other databases. */
export function pairs<Database>(
  databases: readonly Database[],
): readonly (Database & { readonly platform: Platform })[] {
  return databases.flatMap((database, at) =>
    (hasEveryPair ? platforms : [platforms[at % platforms.length]!]).map((platform) => ({
      ...database,
      platform,
    })),
  );
}
