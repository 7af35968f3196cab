import { databaseCode, isTransactionFailed } from '../database/database-errors.js';
import { type Dialect, findDialect, type Statement } from '../database/dialect.js';
import {
  type JoinedTransaction,
  RECEIVER_TABLE,
  type Result,
  type Row,
  SqlClient,
} from '../database/sql-client.js';
import type { SqlDriver } from '../database/sql-driver.js';
import { ThornConfigurationError } from '../errors/index.js';
import { OtherDatabaseError } from '../database/other-database.error.js';
import { TransactionEndedError } from '../database/transaction-ended.error.js';
import { TransactionRequiredError } from '../database/transaction-required.error.js';
import type { StorePool } from './store-pool.js';

// Of a server and a database on it, whichever way a connection has taken to it.
const IDENTITY =
  "SELECT current_database()::text AS name, concat_ws(' ', current_database(), current_setting('port'), extract(epoch from pg_postmaster_start_time())) AS identity";

/** A connection of `pg`, which tells since 8.17 whether it is in a transaction. */
export interface TransactionStatus {
  getTransactionStatus?(): string | null;
}

/** Reads what drivers answer: an object, or with `postgres` a list. */
export function resultOf(answer: unknown): Result {
  const { rows, rowCount, count } = answer as {
    readonly rows?: readonly Row[];
    readonly rowCount?: number | null;
    readonly count?: number;
  };
  const found = rows ?? (answer as readonly Row[]);
  return { rows: found, affected: rowCount ?? count ?? found.length };
}

/** PostgreSQL refuses it outside of a transaction; inside it stops nobody. */
const IN_TRANSACTION: Statement = {
  sql: 'LOCK TABLE pg_catalog.pg_am IN ACCESS SHARE MODE',
  parameters: [],
};

/** A client of PostgreSQL that tells nothing of commits, and of which a pool of `pg` is known. */
export abstract class PostgresClient<Transaction extends object> extends SqlClient<Transaction> {
  override readonly dialect: Dialect = findDialect('postgres');
  override readonly commits = 'looked up';
  /** What is known to be of the same database, as {@link originOf} names it. */
  protected readonly same = new WeakSet<object>();
  #identity: Promise<string> | undefined;
  #closed: Promise<void> | undefined;

  /**
   * @param how to begin a transaction with the client
   * @param same what is of the same database as the pool
   */
  constructor(
    private readonly how: string,
    private readonly store: StorePool,
    same?: object,
  ) {
    super();
    if (same !== undefined) this.same.add(same);
    // Now: it may be the client's pool as well, and have all its connections in transactions when the first message comes.
    else if (store.own === undefined) this.#identityOfStore().catch(() => undefined);
  }

  override get schema(): string | undefined {
    return this.store.schema;
  }

  override table(name: string): string {
    const { schema } = this;
    return schema === undefined ? quoted(name) : `${quoted(schema)}.${quoted(name)}`;
  }

  override get ownConnections(): number | undefined {
    return this.store.own?.options.max;
  }

  override driver(): SqlDriver {
    return { kind: 'pg', pool: this.store.pool };
  }

  /** Once: after a start that failed, an application may be closed as well. */
  override close(): Promise<void> {
    return (this.#closed ??= this.store.own?.end() ?? Promise.resolve());
  }

  override join(transaction: Transaction): JoinedTransaction | Promise<JoinedTransaction> {
    const asked = this.check(transaction);
    const joined: JoinedTransaction = {
      client: this,
      dialect: this.dialect,
      run: (statement) => this.#runChecked(transaction, statement),
    };
    const origin = this.originOf(transaction);
    if (asked === undefined && this.same.has(origin)) return joined;
    return this.#askedAbout(joined, origin, asked);
  }

  /** @throws unless it is an open transaction of PostgreSQL. @returns a statement to ask the database, if need be */
  protected abstract check(transaction: Transaction): Statement | undefined;

  /** What all transactions have in common that are surely of the same database. */
  protected abstract originOf(transaction: Transaction): object;

  /** Runs a statement with the placeholders of PostgreSQL. */
  protected abstract run(transaction: Transaction, statement: Statement): Promise<Result>;

  /** A check by the connection, or else by the database. @param outside what to throw in no transaction */
  protected askStatus(
    connection: TransactionStatus | undefined,
    outside: () => Error,
  ): Statement | undefined {
    if (connection?.getTransactionStatus === undefined) return IN_TRANSACTION;
    const status = connection.getTransactionStatus();
    if (status === 'E') throw this.failed();
    if (status !== 'T') throw outside();
    return undefined;
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
    return isTransactionFailed(error) ? this.failed(error) : error;
  }

  #tableMissing(sql: string, cause: unknown): Error {
    const ofReceiver = this.table(RECEIVER_TABLE);
    const [table, option] = sql.includes(ofReceiver)
      ? [ofReceiver, ' --receiver']
      : [this.table('thorn_messages'), ''];
    return new ThornConfigurationError(
      'THORN_TABLES_MISSING',
      `A transaction of ${this.name} does not find ${table.replaceAll('"', '')}. Run the SQL that ` +
        `\`npx thorn migrations postgres${option}\` prints; where the tables are in a schema of their own, name it in the option schema.`,
      { dataSource: this.name },
      cause,
    );
  }

  async #askedAbout(
    joined: JoinedTransaction,
    origin: object,
    question: Statement | undefined,
  ): Promise<JoinedTransaction> {
    if (question !== undefined) await joined.run(question);
    if (this.same.has(origin)) return joined;
    const { rows } = await joined.run({ sql: IDENTITY, parameters: [] });
    const { name, identity } = rows[0]!;
    // Once more, as the server may have been started again since.
    if (identity !== (await this.#identityOfStore()) && identity !== (await this.#readIdentity())) {
      throw new OtherDatabaseError(this.name, `the database ${String(name)}`);
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
    const connection = await this.store.pool.connect();
    try {
      const { rows } = await connection.query(IDENTITY);
      return (rows[0] as { readonly identity: string }).identity;
    } finally {
      connection.release();
    }
  }

  async #runChecked(transaction: Transaction, { sql, parameters }: Statement): Promise<Result> {
    try {
      return await this.run(transaction, { sql: this.dialect.placeholders(sql), parameters });
    } catch (error) {
      const code = databaseCode(error);
      throw code === '42P01' ? this.#tableMissing(sql, error) : this.translated(code, error);
    }
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
