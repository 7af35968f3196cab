import {
  dataSourceOf,
  escapePath,
  ownTablePath,
  type TableNaming,
} from '../common/typeorm-compat.js';
import { ThornConfigurationError } from '../errors/index.js';
import { isReadOnly, isTransactionFailed, withoutValues } from './database-errors.js';
import { type Dialect, findDialect, type Statement } from './dialect.js';
import {
  CHANGES_TABLE,
  type JoinedTransaction,
  RECEIVER_TABLE,
  type Result,
  type Row,
  runSteps,
  SqlClient,
  type SqlTables,
  type Step,
} from './sql-client.js';
import type { MysqlPool, PgPool, SqlDriver, SqliteHandle } from './sql-driver.js';
import { OtherDatabaseError, TransactionEndedError, TransactionRequiredError } from './errors.js';
import {
  NumberedTransaction,
  OpenTransaction,
  type TransactionProof,
} from './transaction-proof.js';

/** The part of TypeORM's `QueryRunner` that is used. Structural: receivers without a database need no TypeORM. */
export interface SqlRunner {
  readonly isTransactionActive: boolean;
  readonly isReleased: boolean;
  query(
    sql: string,
    parameters: unknown[],
    structured: true,
  ): Promise<{ readonly records: readonly unknown[]; readonly affected?: number }>;
}

/** The part of TypeORM's `Driver` that is used, including the properties of individual drivers. */
export interface SqlDataSourceDriver {
  escape(name: string): string;
  readonly schema?: string;
  /** The pool of PostgreSQL. */
  readonly master?: PgPool;
  /** The pool of MySQL and MariaDB, in one of these two properties. */
  readonly pool?: MysqlPool;
  readonly poolCluster?: { of(pattern: string): MysqlPool };
  /** The connection of SQLite. */
  readonly databaseConnection?: SqliteHandle;
}

/** The part of TypeORM's `DataSource` that is used. */
export interface SqlDataSource extends TableNaming {
  readonly options: { readonly type: string; readonly entityPrefix?: string };
  readonly driver: SqlDataSourceDriver;
  readonly entityMetadatas: readonly {
    readonly givenTableName?: string;
    readonly tablePath: string;
  }[];
  createQueryRunner(): SqlRunner & { release(): Promise<void> };
  transaction<Answer>(work: (manager: SqlManager) => Promise<Answer>): Promise<Answer>;
}

/** The part of TypeORM's `EntityManager` that is used. */
export interface SqlManager {
  readonly dataSource: SqlDataSource;
  readonly queryRunner?: SqlRunner;
}

const HOW = 'dataSource.transaction((manager) => …)';

/** The database of a data source. */
export class TypeOrmClient<Source extends SqlDataSource = SqlDataSource>
  extends SqlClient<SqlManager>
  implements SqlTables
{
  readonly name = 'TypeORM';
  readonly commits = 'told';
  #dialect: Dialect | undefined;

  constructor(readonly dataSource: Source) {
    super();
  }

  /** @throws `ThornConfigurationError` for a database that is not supported */
  override get dialect(): Dialect {
    return (this.#dialect ??= findDialect(this.dataSource.options.type));
  }

  override table(name: string): string {
    const { dataSource } = this;
    const entity = dataSource.entityMetadatas.find(({ givenTableName }) => givenTableName === name);
    if (entity !== undefined) return escapePath(dataSource, entity.tablePath);
    if (name === RECEIVER_TABLE || name === CHANGES_TABLE) return ownTablePath(dataSource, name);
    throw new ThornConfigurationError(
      'THORN_ENTITIES_MISSING',
      `The data source does not know the library's table ${name}. Set autoLoadEntities: true, or add ...thornEntities to ` +
        'its entities and ...thornMigrations to its migrations.',
      { table: name },
    );
  }

  override driver(): SqlDriver | undefined {
    const { master, pool, poolCluster, databaseConnection: handle } = this.dataSource.driver;
    switch (this.dataSource.options.type) {
      case 'postgres':
        return master && { kind: 'pg', pool: master };
      case 'mysql':
      case 'mariadb': {
        const writing = pool ?? poolCluster?.of('MASTER');
        return writing && { kind: 'mysql2', pool: writing };
      }
      case 'better-sqlite3':
        return handle && { kind: 'better-sqlite3', handle };
    }
  }

  /** The data source on SQLite, which answers at once. Undefined where a connection may die without a word. */
  get tables(): SqlTables | undefined {
    return this.dialect.name === 'sqlite' ? this : undefined;
  }

  run(statement: Statement): Promise<Result> {
    return this.#runAlone(statement);
  }

  execute(steps: readonly Step[]): Promise<readonly Result[]> {
    return this.dataSource.transaction((manager) => {
      const { run } = this.within(manager);
      return runSteps(run, steps);
    });
  }

  override join(manager: SqlManager): JoinedTransaction {
    const { queryRunner } = manager ?? {};
    const source: SqlDataSource | undefined = dataSourceOf(manager ?? {});
    if (source !== undefined && source !== this.dataSource) {
      throw OtherDatabaseError.of(this.name, 'another data source');
    }
    if (queryRunner?.isReleased === true) throw TransactionEndedError.of(this.name, HOW);
    if (queryRunner?.isTransactionActive !== true)
      throw TransactionRequiredError.of(this.name, HOW);
    const { dialect, run } = this.within(manager);
    return {
      client: this,
      dialect,
      run: async (statement) => {
        if (queryRunner.isReleased) throw TransactionEndedError.of(this.name, HOW);
        return run(statement);
      },
      proof: this.#proof(),
    };
  }

  /** TypeORM tells that a transaction has ended once the database has answered its ROLLBACK. */
  #proof(): TransactionProof | undefined {
    const ended = () => TransactionEndedError.of(this.name, HOW);
    switch (this.dialect.name) {
      case 'postgres':
        return new NumberedTransaction(ended);
      case 'mysql':
        return new OpenTransaction(ended);
      case 'sqlite':
        return undefined;
    }
  }

  /** Runs statements with a manager: in its transaction, when it is in one. */
  within({ queryRunner }: SqlManager): JoinedTransaction {
    const run = (statement: Statement) =>
      queryRunner === undefined
        ? this.#runAlone(statement)
        : this.runOn(queryRunner, statement).catch((error: unknown) => {
            if (isTransactionFailed(error)) {
              throw TransactionEndedError.afterFailure(this.name, error);
            }
            throw isReadOnly(error) ? OtherDatabaseError.ofReplica(this.name, error) : error;
          });
    const dialect = () => this.dialect;
    return {
      client: this,
      // Read late: changes are captured on other databases, too.
      get dialect() {
        return dialect();
      },
      run,
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
    try {
      const { records, affected } = await runner.query(
        this.dialect.placeholders(sql),
        parameters as unknown[],
        true,
      );
      const rows = (records as readonly Row[] | undefined) ?? [];
      // TypeORM counts no rows of a SELECT on MariaDB.
      return { rows, affected: affected ?? rows.length };
    } catch (error) {
      throw withoutValues(error);
    }
  }
}
