/** A database client that an application may have, by the package in its package.json. */
export interface DatabaseClient {
  readonly name: string;
  readonly package: string;
  /** How the module names it: the function of `nestjs-thorn/sql`, the provider and the module that exports it. */
  readonly source?: {
    readonly maker: string;
    readonly provider: string;
    /** How the file of the application that declares the provider does it. */
    readonly declaration: string;
    readonly module: string;
    /** Thorn cannot use the connections of the client, and opens its own. */
    readonly needsUrl?: true;
  };
  /** The tool whose migrations make Thorn's tables. */
  readonly tool?: 'prisma' | 'drizzle';
}

const DATABASE = {
  provider: 'DATABASE',
  declaration: 'export const DATABASE',
  module: 'DatabaseModule',
} as const;

/** In the order in which they are looked for: a driver may serve one of the others. */
export const CLIENTS: readonly DatabaseClient[] = [
  { name: 'TypeORM', package: '@nestjs/typeorm' },
  {
    name: 'Prisma',
    package: '@prisma/client',
    source: {
      maker: 'fromPrisma',
      provider: 'PrismaService',
      declaration: 'export class PrismaService',
      module: 'PrismaModule',
      needsUrl: true,
    },
    tool: 'prisma',
  },
  {
    name: 'Drizzle',
    package: 'drizzle-orm',
    source: { maker: 'fromDrizzle', ...DATABASE },
    tool: 'drizzle',
  },
  {
    name: 'Kysely',
    package: 'kysely',
    source: { maker: 'fromKysely', ...DATABASE, needsUrl: true },
  },
  { name: 'Knex', package: 'knex', source: { maker: 'fromKnex', ...DATABASE, needsUrl: true } },
  { name: 'pg', package: 'pg', source: { maker: 'fromPg', ...DATABASE } },
  { name: 'mysql2', package: 'mysql2', source: { maker: 'fromMysql2', ...DATABASE } },
  {
    name: 'better-sqlite3',
    package: 'better-sqlite3',
    source: { maker: 'fromBetterSqlite3', ...DATABASE },
  },
];

export type DatabaseSystem = 'postgres' | 'mariadb' | 'sqlite';

/** The database that the drivers of an application are for; PostgreSQL where they tell nothing. */
export function systemOf(packages: ReadonlySet<string>): DatabaseSystem {
  const hasOne = (names: readonly string[]) => names.some((name) => packages.has(name));
  if (hasOne(['pg', 'postgres', '@prisma/adapter-pg'])) return 'postgres';
  if (hasOne(['mysql2', 'mariadb', '@prisma/adapter-mariadb'])) return 'mariadb';
  return hasOne(['better-sqlite3', '@prisma/adapter-better-sqlite3']) ? 'sqlite' : 'postgres';
}
