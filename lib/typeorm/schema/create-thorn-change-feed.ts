import type { MigrationInterface, QueryRunner } from 'typeorm';
import { dataSourceOf, escapePath, ownTablePath } from '../../common/typeorm-compat.js';
import { createChangeFeed, dropChangeFeed } from '../../database/schema/change-feed-sql.js';
import { ThornConfigurationError } from '../../errors/index.js';

/** Says which changes of a table the change feed reports. */
export interface ChangeTrigger {
  /** Name of the table, with its schema where that is not the data source's own. */
  readonly table: string;
  /** Name of the entity's class. */
  readonly entity: string;
  /** The columns of the table's primary key, by their names in the database. Default `['id']`. */
  readonly key?: readonly string[];
}

/**
 * Creates the table `thorn_changes` and the trigger function `thorn_report_change()` of the change feed, on PostgreSQL. TypeORM
 * knows nothing of either, so that `migration:generate` finds nothing to change.
 */
export class CreateThornChangeFeed1767312000003 implements MigrationInterface {
  // Said here, because a bundler may rename the class and TypeORM remembers what has run by this name.
  readonly name = 'CreateThornChangeFeed1767312000003';

  async up(queryRunner: QueryRunner): Promise<void> {
    assertPostgres(queryRunner);
    for (const sql of createChangeFeed(pathsOf(queryRunner))) await queryRunner.query(sql);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const sql of dropChangeFeed(pathsOf(queryRunner))) await queryRunner.query(sql);
  }
}

/**
 * Lets the change feed report every change of a table, whoever makes it. For a migration of the application, after those
 * of `thornChangeFeedMigrations`.
 *
 * @example
 * ```ts
 * async up(queryRunner: QueryRunner): Promise<void> {
 *   await createChangeTrigger(queryRunner, { table: 'article', entity: 'Article' });
 * }
 * ```
 * @throws `ThornConfigurationError` without a class or a key, and the database's error for a name that it does not know
 */
export async function createChangeTrigger(
  queryRunner: QueryRunner,
  { table, entity, key = ['id'] }: ChangeTrigger,
): Promise<void> {
  assertPostgres(queryRunner);
  if (entity === '' || key.length === 0) {
    throw new ThornConfigurationError(
      'THORN_OPTION_INVALID',
      `createChangeTrigger(): ${entity === '' ? 'entity must be the name of a class' : "key must name the columns of the primary key, such as ['id']"}`,
      { table },
    );
  }
  const dataSource = dataSourceOf(queryRunner);
  const path = escapePath(dataSource, table);
  const columns = key.map((name) => dataSource.driver.escape(name)).join(', ');
  // A wrong name fails here. Else each write of the application would.
  await queryRunner.query(`SELECT ${columns} FROM ${path} LIMIT 0`);
  const called = [entity, ...key].map((text) => `'${text.replaceAll("'", "''")}'`).join(', ');
  await queryRunner.query(
    `CREATE TRIGGER thorn_report_change AFTER INSERT OR UPDATE OR DELETE ON ${path} FOR EACH ROW EXECUTE FUNCTION ${pathsOf(queryRunner)('thorn_report_change')}(${called})`,
  );
}

/** Ends what {@link createChangeTrigger} has begun. */
export async function dropChangeTrigger(queryRunner: QueryRunner, table: string): Promise<void> {
  await queryRunner.query(
    `DROP TRIGGER thorn_report_change ON ${escapePath(dataSourceOf(queryRunner), table)}`,
  );
}

function pathsOf(queryRunner: QueryRunner): (name: string) => string {
  return (name) => ownTablePath(dataSourceOf(queryRunner), name);
}

function assertPostgres(queryRunner: QueryRunner): void {
  const { type } = dataSourceOf(queryRunner).options;
  if (type === 'postgres') return;
  throw new ThornConfigurationError(
    'THORN_DATABASE_UNSUPPORTED',
    `The change feed works on PostgreSQL alone, not on ${type}. Leave thornChangeFeedMigrations out, and send with dispatcher.sendFor().`,
    { type },
  );
}
