import type { DataSource, EntityMetadata, QueryRunner } from 'typeorm';
import { escapePath } from '../../common/typeorm-compat.js';

/** A client of pg. */
interface Client {
  query(
    sql: string,
    parameters: readonly unknown[],
  ): Promise<{ readonly rows: readonly unknown[] }>;
}

/** Rules for UPDATE and for DELETE, by the codes of PostgreSQL. */
const INSTEAD = `SELECT 1 FROM pg_rewrite WHERE ev_class = to_regclass($1) AND is_instead AND ev_type IN ('2', '4') LIMIT 1`;

/**
 * Knows the tables and views whose updates or deletions a rule of PostgreSQL replaces (`DO INSTEAD`). Such a statement
 * refuses RETURNING, and neither what it was told to do nor the rows that it counts say what has happened.
 */
export class RewriteRules {
  readonly #replaced = new Map<string, boolean>();

  constructor(private readonly dataSource: DataSource) {}

  /** Tells whether writes of a table are replaced. Each table is asked for once. */
  areReplaced({ tablePath }: EntityMetadata, queryRunner: QueryRunner): boolean | Promise<boolean> {
    if (this.dataSource.options.type !== 'postgres') return false;
    return this.#replaced.get(tablePath) ?? this.#ask(tablePath, queryRunner);
  }

  async #ask(tablePath: string, queryRunner: QueryRunner): Promise<boolean> {
    // Not by the query runner: the statement is none of the application's, whose loggers and subscribers see those.
    const client = (await queryRunner.connect()) as Client;
    const { rows } = await client.query(INSTEAD, [escapePath(this.dataSource, tablePath)]);
    this.#replaced.set(tablePath, rows.length > 0);
    return rows.length > 0;
  }
}
