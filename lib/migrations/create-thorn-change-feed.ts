import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ownTablePath } from '../capture/index.js';
import { dataSourceOf, escapePath } from '../common/typeorm-compat.js';
import { ThornConfigurationError } from '../errors/index.js';

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
 * Creates the table `thorn_changes` and the trigger function `thorn_touch()` of the change feed, on PostgreSQL. TypeORM
 * knows nothing of either, so that `migration:generate` finds nothing to change.
 */
export class CreateThornChangeFeed1767312000003 implements MigrationInterface {
  // Said here, because a bundler may rename the class and TypeORM remembers what has run by this name.
  readonly name = 'CreateThornChangeFeed1767312000003';

  async up(queryRunner: QueryRunner): Promise<void> {
    assertPostgres(queryRunner);
    const table = qualified(queryRunner, 'thorn_changes');
    // A transaction is told by its number: changes of a row are merged, and the ones that were captured are removed.
    await queryRunner.query(
      `CREATE TABLE ${table} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tx bigint NOT NULL, entity text NOT NULL, key jsonb NOT NULL, old_row jsonb, new_row jsonb)`,
    );
    // By the hash: a long key would be too long for an index, and the application's write would fail.
    await queryRunner.query(`CREATE INDEX ON ${table} (tx, jsonb_hash(key))`);
    const touch = qualified(queryRunner, 'thorn_touch');
    await queryRunner.query(touchFunction(touch, table));
    // Else any role that may create a table could make up changes with a trigger on its own.
    await queryRunner.query(`REVOKE EXECUTE ON FUNCTION ${touch}() FROM PUBLIC`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP FUNCTION ${qualified(queryRunner, 'thorn_touch')}() CASCADE`);
    await queryRunner.query(`DROP TABLE ${qualified(queryRunner, 'thorn_changes')}`);
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
    `CREATE TRIGGER thorn_touch AFTER INSERT OR UPDATE OR DELETE ON ${path} FOR EACH ROW EXECUTE FUNCTION ${qualified(queryRunner, 'thorn_touch')}(${called})`,
  );
}

/** Ends what {@link createChangeTrigger} has begun. */
export async function dropChangeTrigger(queryRunner: QueryRunner, table: string): Promise<void> {
  await queryRunner.query(
    `DROP TRIGGER thorn_touch ON ${escapePath(dataSourceOf(queryRunner), table)}`,
  );
}

/** It runs as its owner: whoever may write the table needs no right to write ours. */
function touchFunction(name: string, table: string): string {
  return `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $thorn$
DECLARE
  old_row jsonb;
  new_row jsonb;
  old_key jsonb;
  new_key jsonb;
BEGIN
  IF TG_NARGS < 2 OR TG_LEVEL <> 'ROW' OR TG_WHEN <> 'AFTER' THEN
    RAISE EXCEPTION 'The trigger % on % must be AFTER … FOR EACH ROW EXECUTE FUNCTION thorn_touch(''Entity'', ''key column'')', TG_NAME, TG_TABLE_NAME;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    old_row := to_jsonb(OLD);
    old_key := (SELECT jsonb_object_agg(name, old_row ->> name) FROM unnest(TG_ARGV[1:]) AS name);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    new_row := to_jsonb(NEW);
    new_key := (SELECT jsonb_object_agg(name, new_row ->> name) FROM unnest(TG_ARGV[1:]) AS name);
  END IF;
  IF NOT coalesce(new_row, old_row) ?& TG_ARGV[1:] THEN
    RAISE EXCEPTION 'The trigger % on % names a key column that the table does not have', TG_NAME, TG_TABLE_NAME;
  END IF;
  IF old_row = new_row THEN
    RETURN NULL;
  END IF;
  IF old_key <> new_key THEN
    INSERT INTO ${table} (tx, entity, key, old_row) VALUES (txid_current(), TG_ARGV[0], old_key, old_row);
    old_row := NULL;
  END IF;
  INSERT INTO ${table} (tx, entity, key, old_row, new_row) VALUES (txid_current(), TG_ARGV[0], coalesce(new_key, old_key), old_row, new_row);
  RETURN NULL;
END
$thorn$`;
}

function qualified(queryRunner: QueryRunner, name: string): string {
  return ownTablePath(dataSourceOf(queryRunner), name);
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
