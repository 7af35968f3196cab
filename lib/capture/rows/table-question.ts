import type { DataSource, EntityMetadata, QueryRunner } from 'typeorm';
import { escapePath } from '../../common/typeorm-compat.js';

/** A client of pg. */
interface Client {
  query(
    sql: string,
    parameters: readonly unknown[],
  ): Promise<{ readonly rows: readonly { readonly answer: boolean }[] }>;
}

/** Asks whether it is a table by itself, of whose updates nothing in the database makes something else. */
export const ARE_UPDATES_PLAIN = `SELECT EXISTS (SELECT 1 FROM pg_class WHERE oid = to_regclass($1)
  AND relkind = 'r' AND NOT relhassubclass AND NOT relhasrules AND NOT EXISTS (SELECT 1 FROM pg_trigger
    WHERE tgrelid = oid AND NOT tgisinternal AND tgtype & 16 <> 0)) AS answer`;

/** A question about tables that the catalogue of PostgreSQL answers. Each process asks it once of each table. */
export class TableQuestion {
  readonly #answers = new Map<string, boolean>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly sql: string,
  ) {}

  /** @returns false on other databases */
  ask({ tablePath }: EntityMetadata, queryRunner: QueryRunner): boolean | Promise<boolean> {
    if (this.dataSource.options.type !== 'postgres') return false;
    return this.#answers.get(tablePath) ?? this.#ask(tablePath, queryRunner);
  }

  async #ask(tablePath: string, queryRunner: QueryRunner): Promise<boolean> {
    // Not by the query runner: the statement is none of the application's, whose loggers and subscribers see those.
    const client = (await queryRunner.connect()) as Client;
    const { rows } = await client.query(this.sql, [escapePath(this.dataSource, tablePath)]);
    const { answer } = rows[0]!;
    this.#answers.set(tablePath, answer);
    return answer;
  }
}
