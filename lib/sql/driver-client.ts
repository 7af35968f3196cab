import {
  databaseCode,
  isReadOnly,
  isTableMissing,
  isTransactionFailed,
  withoutValues,
} from '../database/database-errors.js';
import type { Dialect, Statement } from '../database/dialect.js';
import { ofSchema } from '../database/schema/check-tables.js';
import { findDatabase } from '../database/schema/missing-tables.js';
import { type JoinedTransaction, SqlClient, type SqlTables } from '../database/sql-client.js';
import type { SqlDriver } from '../database/sql-driver.js';
import type { SqlStore } from '../database/sql-store.js';
import { ThornConfigurationError } from '../errors/index.js';
import { OtherDatabaseError } from '../database/other-database.error.js';
import { TransactionEndedError } from '../database/transaction-ended.error.js';
import { TransactionRequiredError } from '../database/transaction-required.error.js';
import type { DatabaseName } from '../database/schema/schema-sql.js';
import type { Answer, ClientDatabase, ClientStore } from './databases/client-database.js';
import type { TransactionStatus } from './databases/postgres.js';
import { connectionOf } from './databases/sqlite.js';
import type { StoreDriver } from './store-driver.js';

const SCHEMA_HINT = '; where the tables are in a schema of their own, name it in the option schema';

/** A client that tells nothing of commits, and below which a driver is known. */
export abstract class DriverClient<Transaction extends object> extends SqlClient<Transaction> {
  override readonly commits = 'looked up';
  /** What is known to be of the same database, as {@link originOf} names it. */
  protected readonly same = new WeakSet<object>();
  #identity: Promise<string> | undefined;
  #closed: Promise<void> | undefined;
  #store: ClientStore | undefined;

  /** How a transaction begins with the client, for errors. */
  protected abstract readonly how: string;

  /** True when the driver is the client's own. */
  readonly #isShown: boolean;

  /** @param same what is of the same database as the driver */
  constructor(
    protected readonly database: ClientDatabase,
    private readonly store: StoreDriver,
    same?: object,
  ) {
    super();
    this.#isShown = same !== undefined;
    if (same !== undefined) this.same.add(same);
    // Now: it may be the client's pool as well, and have all its connections in transactions when the first message comes.
    else if (store.own === undefined) this.#identityOfStore().catch(() => undefined);
  }

  override get dialect(): Dialect {
    return this.database.dialect;
  }

  override get schema(): string | undefined {
    return this.store.schema;
  }

  override table(name: string): string {
    return this.#pathOf(name)
      .map((part) => this.dialect.identifier(part))
      .join('.');
  }

  override get ownConnections(): number | undefined {
    return this.store.own?.connections ?? this.#store?.ownConnections;
  }

  override driver(): SqlDriver {
    return this.store.driver;
  }

  /** One for all: SQLite has no pool. Undefined where there is one. */
  createStore(): SqlStore | undefined {
    const { driver, own } = this.store;
    return (this.#store ??= this.database.createStore?.(this, driver, own !== undefined));
  }

  get tables(): SqlTables | undefined {
    return this.createStore();
  }

  /** Once: after a start that failed, an application may be closed as well. */
  override close(): Promise<void> {
    return (this.#closed ??= this.store.own?.end() ?? Promise.resolve());
  }

  override join(transaction: Transaction): JoinedTransaction | Promise<JoinedTransaction> {
    const question = this.check(transaction);
    const joined: JoinedTransaction = {
      client: this,
      dialect: this.dialect,
      run: (statement) => this.#runChecked(transaction, statement),
    };
    const origin = this.originOf(transaction);
    if (question === undefined && this.same.has(origin)) return joined;
    return this.#askedAbout(joined, origin, question);
  }

  /**
   * @returns the question to the database whether the transaction is open, if it has to be asked
   * @throws unless it is a transaction of the client's database, and open for all that the client shows
   */
  protected abstract check(transaction: Transaction): string | undefined;

  /** What all transactions have in common that are surely of the same database. */
  protected abstract originOf(transaction: Transaction): object;

  /** Runs a statement with the database's own placeholders. */
  protected abstract run(transaction: Transaction, statement: Statement): Promise<Answer>;

  /** A {@link check} by the connection. @param outside what to throw in no transaction */
  protected checkStatus(
    connection: TransactionStatus | undefined,
    outside: () => Error,
  ): string | undefined {
    if (connection?.getTransactionStatus === undefined) return this.database.question;
    const status = connection.getTransactionStatus();
    if (status === 'E') throw this.failed();
    if (status !== 'T') throw outside();
    return undefined;
  }

  /** What is thrown when the database says that no transaction is open. */
  protected notOpen(): Error {
    return this.ended();
  }

  protected required(): Error {
    return TransactionRequiredError.of(this.name, this.how);
  }

  protected ended(cause?: unknown): Error {
    return TransactionEndedError.of(this.name, this.how, cause);
  }

  protected failed(cause?: unknown): Error {
    return TransactionEndedError.afterFailure(this.name, cause);
  }

  /** The client's own code of an error, as an error of the library. */
  protected translated(code: string | undefined, error: unknown): unknown {
    if (code === '25P01') return this.required();
    if (isTransactionFailed(error)) return this.failed(error);
    return isReadOnly(error) ? OtherDatabaseError.ofReplica(this.name, error) : error;
  }

  /**
   * @param tables of which one is missing
   * @param database for `npx thorn migrations`
   */
  protected tableMissing(
    tables: readonly string[],
    database: DatabaseName,
    error: unknown,
  ): ThornConfigurationError {
    const { schema } = this;
    const hint = this.database.hasSchemas && schema === undefined ? SCHEMA_HINT : '';
    const names = tables.map((name) => this.#pathOf(name).join('.')).join(' or ');
    return new ThornConfigurationError(
      'THORN_TABLES_MISSING',
      `A transaction of ${this.name} does not find ${names}. Run the SQL that ` +
        `\`npx thorn migrations ${database}${ofSchema(schema)}\` prints${hint}.`,
      { dataSource: this.name },
      error,
    );
  }

  async #askedAbout(
    joined: JoinedTransaction,
    origin: object,
    question: string | undefined,
  ): Promise<JoinedTransaction> {
    if (question !== undefined) {
      const answer: Answer = await joined.run(asked(question));
      const isOpen = answer.isOpen ?? Number(answer.rows[0]?.['open'] ?? 1) === 1;
      if (!isOpen) throw this.notOpen();
    }
    if (this.same.has(origin)) return joined;
    const known = this.database.isSame?.(this.driver());
    const { rows } = await joined.run(asked(this.database.identity));
    const { name, identity } = rows[0]!;
    // Once more, as the server may have been started again since.
    const isSame =
      known ??
      (identity === (await this.#identityOfStore()) || identity === (await this.#readIdentity()));
    if (!isSame) {
      const options = this.#isShown ? undefined : '`url`, `pool` or `driver`';
      throw OtherDatabaseError.of(this.name, `the database ${String(name)}`, options);
    }
    this.same.add(origin);
    return joined;
  }

  #identityOfStore(): Promise<string> {
    return (this.#identity ??= this.#readIdentity().catch((error: unknown) => {
      this.#identity = undefined;
      throw error;
    }));
  }

  async #readIdentity(): Promise<string> {
    const connection = await connectionOf(this.driver());
    try {
      const { rows } = await connection.query(this.database.identity, []);
      return String(rows[0]!['identity']);
    } finally {
      connection.release();
    }
  }

  async #runChecked(transaction: Transaction, statement: Statement): Promise<Answer> {
    const { sql, tables } = statement;
    try {
      return await this.run(transaction, { ...statement, sql: this.dialect.placeholders(sql) });
    } catch (thrown) {
      const error = withoutValues(thrown);
      throw tables !== undefined && isTableMissing(error)
        ? this.tableMissing(tables, await this.#systemOf(transaction), error)
        : this.translated(databaseCode(error), error);
    }
  }

  #systemOf(transaction: Transaction): Promise<DatabaseName> {
    return findDatabase({
      dialect: this.dialect,
      run: (statement) => this.#runChecked(transaction, statement),
    });
  }

  #pathOf(name: string): readonly string[] {
    return this.schema === undefined ? [name] : [this.schema, name];
  }
}

function asked(sql: string): Statement {
  return { sql, parameters: [], answersRows: true };
}
