import 'reflect-metadata';
import { DataSource, type DataSourceOptions, type QueryRunner } from 'typeorm';
import { thornChangeFeedMigrations, thornMigrations } from '../../migrations/index.js';
import { CreateThornReceivedMessages1767312060000 } from '../../receiver/deduplication/create-received-messages.js';

/** The SQL to print. */
export interface WhichMigrations {
  readonly of: 'outbox' | 'receiver' | 'feed';
  readonly down: boolean;
  readonly prefix: string;
}

const MIGRATIONS = {
  outbox: thornMigrations,
  receiver: [CreateThornReceivedMessages1767312060000],
  feed: thornChangeFeedMigrations,
} as const;

/** The statements that make the tables, or that remove them. */
export async function migrationsSql(
  database: 'sqlite' | 'postgres' | 'mysql' | 'mariadb',
  { of, down, prefix }: WhichMigrations,
): Promise<readonly string[]> {
  const runner = runnerOf(database, prefix);
  for (const Migration of MIGRATIONS[of]) await new Migration().up(runner);
  const created = runner.getMemorySql().upQueries.map(({ query }) => query);
  return down ? removals(created) : created;
}

/** Notes statements instead of running them. The driver's package need not be there: it is never called. */
function runnerOf(database: string, entityPrefix: string): QueryRunner {
  const options = {
    type: database === 'sqlite' ? 'better-sqlite3' : database,
    database: 'none',
    driver: {},
    entityPrefix,
  };
  const dataSource = new DataSource(options as DataSourceOptions);
  // A driver that is connected knows it from the version: MariaDB has the type since 10.7.
  if (database === 'mariadb') Object.assign(dataSource.driver, { uuidColumnTypeSuported: true });
  const runner = dataSource.createQueryRunner();
  runner.enableSqlMemory();
  // What is written as SQL is noted as well.
  runner.query = (async (query: string) => {
    runner.getMemorySql().upQueries.push({ query } as never);
  }) as QueryRunner['query'];
  return runner;
}

/** The tables and functions in the other direction, as each of them is spelled where it is created. */
function removals(created: readonly string[]): readonly string[] {
  const named = created.flatMap((query) => {
    const [, kind, name] = /^CREATE (TABLE|FUNCTION) (\S+)/.exec(query) ?? [];
    if (name === undefined) return [];
    // With the function go the triggers that the application has made of it.
    return kind === 'TABLE' ? `DROP TABLE ${name}` : `DROP FUNCTION ${name} CASCADE`;
  });
  return named.toReversed();
}
