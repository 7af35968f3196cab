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
import {
  heldWhile,
  type JoinedTransaction,
  SqlClient,
  type SqlTables,
} from '../database/sql-client.js';
import type { SqlDriver } from '../database/sql-driver.js';
import type { SqlStore } from '../database/sql-store.js';
import type { TransactionProof } from '../database/transaction-proof.js';
import { ThornConfigurationError } from '../errors/index.js';
import {
  OtherDatabaseError,
  TransactionEndedError,
  TransactionRequiredError,
} from '../database/errors.js';
import type { DatabaseName } from '../database/schema/schema-sql.js';
import type { Answer, ClientDatabase, ClientStore } from './databases/client-database.js';
import type { TransactionStatus } from './databases/postgres.js';
import { connectionOf } from '../database/sqlite-store.js';
import type { StoreDriver } from './store-driver.js';

const SCHEMA_HINT = '; where the tables are in a schema of their own, name it in the option schema';

/** A client that reports no commits, and whose driver is known. */
export abstract class DriverClient<Transaction extends object> extends SqlClient<Transaction> {
  override readonly commits = 'looked up';
  /** Objects that are known to belong to the library's database. {@link originOf} names the object of a transaction. */
  protected readonly same = new WeakSet<object>();
  #identity: Promise<string> | undefined;
  #closed: Promise<void> | undefined;
  #store: ClientStore | undefined;
  /** True when statements prove that they are in a transaction. Undefined: not known yet. */
  #proves: boolean | undefined;
  readonly #asking = new WeakMap<Transaction, Promise<string>>();

  /** The call that begins a transaction of the client, for errors. */
  protected abstract readonly how: string;

  /** True when the driver is the driver that the client itself works with. */
  readonly #isShown: boolean;

  protected readonly database: ClientDatabase;

  /** @param same an object that {@link originOf} returns for transactions of the driver's own database */
  constructor(
    private readonly store: StoreDriver,
    same?: object,
  ) {
    super();
    this.database = store.database;
    if (store.database.question === undefined) this.#proves = true;
    this.#isShown = same !== undefined;
    if (same !== undefined) this.same.add(same);
    // The identity is read now. When the first message comes, all connections of a pool that the client shares may be in
    // transactions, so that the question would wait for the transaction that asks it.
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

  /** The store on SQLite, which all callers share, because SQLite has no pool. Undefined on databases with a pool. */
  createStore(): SqlStore | undefined {
    const { driver, own } = this.store;
    return (this.#store ??= this.database.createStore?.(this, driver, own !== undefined));
  }

  get tables(): SqlTables | undefined {
    return this.createStore();
  }

  /** Runs once, although a failed start and the end of the application may both call it. */
  override close(): Promise<void> {
    return (this.#closed ??= this.store.own?.end() ?? Promise.resolve());
  }

  override join(transaction: Transaction): JoinedTransaction | Promise<JoinedTransaction> {
    this.check(transaction);
    const joined: JoinedTransaction = {
      client: this,
      dialect: this.dialect,
      run: (statement) => this.#runChecked(transaction, statement),
      proof: this.proofOf(transaction),
      ...(this.database.number !== undefined && { hold: () => this.#hold(transaction) }),
    };
    const origin = this.originOf(transaction);
    if (this.same.has(origin) && this.#proves === true) return joined;
    return this.#askedAbout(joined, origin);
  }

  /** @throws unless the object is an open transaction of the client's kind of database, as far as the client shows it */
  protected abstract check(transaction: Transaction): void;

  /**
   * An object that transactions of the same database share, such as the client's pool. Only the first transaction of
   * such an object is asked for the identity of its database. Default: the transaction itself, so that each transaction
   * is asked.
   */
  protected originOf(transaction: Transaction): object {
    return transaction;
  }

  /**
   * The proof that statements run in the transaction. Default: each call makes one, because the object of a transaction
   * may be a connection, which has many.
   */
  protected proofOf(_transaction: Transaction): TransactionProof | undefined {
    return this.database.prove?.(() => this.ended());
  }

  /** Runs a statement, which has the placeholders of the database. */
  protected abstract run(transaction: Transaction, statement: Statement): Promise<Answer>;

  /**
   * A {@link check} by the status of the connection, where the driver shows it.
   * @param outside makes the error for a connection in no transaction
   */
  protected checkStatus(connection: TransactionStatus | undefined, outside: () => Error): void {
    if (connection?.getTransactionStatus === undefined) return;
    const status = connection.getTransactionStatus();
    if (status === 'E') throw this.failed();
    if (status !== 'T') throw outside();
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

  /** Translates an error that the client marks with a code of its own into an error of the library. */
  protected translated(_code: string | undefined, error: unknown): unknown {
    if (isTransactionFailed(error)) return this.failed(error);
    return isReadOnly(error) ? OtherDatabaseError.ofReplica(this.name, error) : error;
  }

  async #askedAbout(joined: JoinedTransaction, origin: object): Promise<JoinedTransaction> {
    if (this.#proves !== true) await this.#askWhetherOpen(joined);
    if (!this.same.has(origin)) await heldWhile(joined, this.#assertSame(joined));
    this.same.add(origin);
    return joined;
  }

  /**
   * Asks the database once when statements can prove that they are in a transaction, and for each transaction when they
   * cannot.
   */
  async #askWhetherOpen(joined: JoinedTransaction): Promise<void> {
    const { question, statusQuestion } = this.database;
    if (this.#proves === undefined) {
      const { rows } = await joined.run(asked(question!));
      this.#proves = Number(rows[0]!['proves']) === 1;
      if (Number(rows[0]!['open']) !== 1) throw this.ended();
    }
    if (this.#proves) return;
    const { isOpen }: Answer = await joined.run({ sql: statusQuestion!, parameters: [] });
    if (isOpen === false) throw this.ended();
  }

  async #assertSame(joined: JoinedTransaction): Promise<void> {
    const known = this.database.isSame?.(this.driver());
    const { rows } = await joined.run(asked(this.database.identity));
    const { name, identity } = rows[0]!;
    // The identity is read again, because the server may have been restarted since.
    const isSame =
      known ??
      (identity === (await this.#identityOfStore()) || identity === (await this.#readIdentity()));
    if (isSame) return;
    const options = this.#isShown ? undefined : '`url`, `pool` or `driver`';
    throw OtherDatabaseError.of(this.name, `the database ${String(name)}`, options);
  }

  async #hold(transaction: Transaction): Promise<() => Promise<void>> {
    const held = await this.#numberOf(transaction);
    return async () => {
      if ((await this.#numberOf(transaction)) !== held) throw this.ended();
    };
  }

  /**
   * Callers that ask before the answer comes share one question.
   * @throws `TransactionEndedError` when no transaction is open
   */
  #numberOf(transaction: Transaction): Promise<string> {
    let asking = this.#asking.get(transaction);
    if (asking === undefined) {
      asking = this.#askNumber(transaction).finally(() => this.#asking.delete(transaction));
      this.#asking.set(transaction, asking);
    }
    return asking;
  }

  async #askNumber(transaction: Transaction): Promise<string> {
    const { rows } = await this.#runChecked(transaction, asked(this.database.number!));
    const { number } = rows[0]!;
    if (number === null) throw this.ended();
    return String(number);
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
        ? this.#tableMissing(tables, await this.#systemOf(transaction), error)
        : this.translated(databaseCode(error), error);
    }
  }

  /**
   * @param tables the tables of the statement, of which one is missing
   * @param database the name of the database for `npx thorn migrations`
   */
  #tableMissing(
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
