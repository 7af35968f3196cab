import 'reflect-metadata';
import { DataSource, type DataSourceOptions, type QueryRunner } from 'typeorm';
import { thornMigrations } from '../../migrations/index.js';
import { CreateThornReceivedMessages1767312060000 } from '../../receiver/deduplication/create-received-messages.js';

/** The statements that make the tables, or that remove them. */
export async function migrationsSql(
  database: 'sqlite' | 'postgres' | 'mysql' | 'mariadb',
  {
    down,
    receiver,
    prefix,
  }: { readonly down: boolean; readonly receiver: boolean; readonly prefix: string },
): Promise<readonly string[]> {
  const migrations = receiver ? [CreateThornReceivedMessages1767312060000] : thornMigrations;
  const runner = runnerOf(database, prefix);
  for (const Migration of migrations) await new Migration().up(runner);
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
  const runner = new DataSource(options as DataSourceOptions).createQueryRunner();
  runner.enableSqlMemory();
  // What is written as SQL is noted as well.
  runner.query = (async (query: string) => {
    runner.getMemorySql().upQueries.push({ query } as never);
  }) as QueryRunner['query'];
  return runner;
}

/** The tables in the other direction, as each of them is spelled where it is created. */
function removals(created: readonly string[]): readonly string[] {
  const tables = created.flatMap((query) => /^CREATE TABLE (\S+)/.exec(query)?.[1] ?? []);
  return tables.toReversed().map((table) => `DROP TABLE ${table}`);
}
