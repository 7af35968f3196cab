import { dataSourceOf, escapePath } from '../common/typeorm-compat.js';
import { ThornConfigurationError } from '../errors/index.js';
import { type Dialect, findDialect, type Statement } from './dialect.js';
import { type Result, type Row, SqlClient, type SqlExecutor } from './sql-client.js';

/** The part of TypeORM's `QueryRunner` that is used. Structural: receivers without a database need no TypeORM. */
export interface SqlRunner {
  readonly isTransactionActive: boolean;
  query(
    sql: string,
    parameters: unknown[],
    structured: true,
  ): Promise<{ readonly records: readonly unknown[]; readonly affected?: number }>;
}

/** The part of TypeORM's `DataSource` that is used. */
export interface SqlDataSource {
  readonly options: { readonly type: string; readonly entityPrefix?: string };
  readonly driver: { escape(name: string): string };
  readonly entityMetadatas: readonly {
    readonly givenTableName?: string;
    readonly tablePath: string;
  }[];
  createQueryRunner(): SqlRunner & { release(): Promise<void> };
}

/** The part of TypeORM's `EntityManager` that is used. */
export interface SqlManager {
  readonly dataSource: SqlDataSource;
  readonly queryRunner?: SqlRunner;
}

/** The database of a data source. */
export class TypeOrmClient<
  Source extends SqlDataSource = SqlDataSource,
> extends SqlClient<SqlManager> {
  readonly dialect: Dialect;

  /** @throws `ThornConfigurationError` for a database that is not supported */
  constructor(readonly dataSource: Source) {
    super();
    this.dialect = findDialect(dataSource.options.type);
  }

  override table(name: string): string {
    const { dataSource } = this;
    const entity = dataSource.entityMetadatas.find(({ givenTableName }) => givenTableName === name);
    if (entity !== undefined) return escapePath(dataSource, entity.tablePath);
    throw new ThornConfigurationError(
      'THORN_ENTITIES_MISSING',
      `The data source does not know the library's table ${name}. Set autoLoadEntities: true, or add ...thornEntities to ` +
        'its entities and ...thornMigrations to its migrations.',
      { table: name },
    );
  }

  override run(statement: Statement): Promise<Result> {
    return this.#runAlone(statement);
  }

  override join({ queryRunner }: SqlManager): SqlExecutor {
    return {
      dialect: this.dialect,
      run: (statement) =>
        queryRunner === undefined ? this.#runAlone(statement) : this.runOn(queryRunner, statement),
    };
  }

  async #runAlone(statement: Statement): Promise<Result> {
    const runner = this.dataSource.createQueryRunner();
    try {
      return await this.runOn(runner, statement);
    } finally {
      await runner.release();
    }
  }

  // save() and insert() are several times slower, and their hooks would capture these rows.
  protected async runOn(runner: SqlRunner, { sql, parameters }: Statement): Promise<Result> {
    const { records, affected } = await runner.query(
      this.dialect.placeholders(sql),
      parameters as unknown[],
      true,
    );
    return { rows: (records as readonly Row[] | undefined) ?? [], affected: affected ?? 0 };
  }
}

/** The client of the data source that a manager or a query runner belongs to. */
export function clientOf(owner: { readonly dataSource: SqlDataSource }): TypeOrmClient {
  return new TypeOrmClient(dataSourceOf(owner));
}
