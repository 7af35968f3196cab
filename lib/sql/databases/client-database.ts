import type { Dialect, DialectName, Statement } from '../../database/dialect.js';
import type { Result, SqlClient } from '../../database/sql-client.js';
import type { TransactionProof } from '../../database/transaction-proof.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { SqlDriver } from '../../database/sql-driver.js';

/** The result of a statement in a transaction of the application. */
export interface Answer extends Result {
  /** Whether a transaction was open after the statement. Undefined where the driver does not report it. */
  readonly isOpen?: boolean;
}

export interface OwnDriver {
  readonly driver: SqlDriver;
  /** The greatest number of connections. */
  readonly connections: number;
  end(): Promise<void>;
}

/** A store that works on one connection and not on a pool. */
export interface ClientStore extends SqlStore {
  /** The number of connections that the library has opened for the store. */
  readonly ownConnections: number | undefined;
}

/** The differences between the databases that a client may work with. */
export interface ClientDatabase {
  /** The name of the database in errors. */
  readonly title: string;
  /** The names that Prisma, Drizzle and Kysely have for the database; the first name is the name of the dialect. */
  readonly names: readonly [DialectName, ...string[]];
  /** The package that clients work with. Knex names the database by it. */
  readonly driver: string;
  readonly dialect: Dialect;
  /** Matches the URLs of this kind of database. */
  readonly url: RegExp;
  /** True where tables can be in a schema that an option names. */
  readonly hasSchemas: boolean;
  /**
   * Selects `name`, and the `identity` of a database and its server. The identity is the same for every connection,
   * whatever its address.
   */
  readonly identity: string;
  /**
   * Makes the proof of a transaction. Left out where the client knows whether a transaction is open.
   * @param ended makes the error for a statement outside of the transaction
   */
  prove?(ended: () => Error): TransactionProof;
  /**
   * Selects the `number` of the transaction, which is unique on the connection; null outside of a transaction. Left out
   * where `prove` is.
   */
  readonly number?: string;
  /**
   * Selects `proves`, which tells whether the server supports {@link prove}, and `open`. Left out where every server
   * supports it.
   */
  readonly question?: string;
  /**
   * For a server that does not support {@link prove}: a statement that changes nothing, and whose answer tells whether
   * a transaction is open.
   */
  readonly statusQuestion?: string;
  /** Reads an answer of the driver's promises. */
  answerOf(answer: unknown): Answer;
  /** Runs a statement, which has the placeholders of the driver, on a connection of the driver. */
  runOn(connection: object, statement: Statement): Promise<Answer>;
  /** The driver for the library's own work, made of the given object; undefined when the object is not a driver. */
  driverOf(given: object): SqlDriver | undefined;
  /** The values that the option `pool` takes, for errors. */
  readonly pool: string;
  /** @throws `ThornConfigurationError` `THORN_PACKAGE_MISSING` without the driver's package */
  open(caller: string, url: string, connections: number): OwnDriver;
  /**
   * Tells whether an open transaction of the client is in the driver's database; undefined where the identities have to
   * be compared.
   */
  isSame?(driver: SqlDriver): boolean | undefined;
  /** @throws `ThornConfigurationError` for a URL that {@link open} cannot use. Default: every URL can be used */
  checkUrl?(caller: string, url: string): void;
  /**
   * Makes a store on one connection. Left out where there is a pool.
   * @param isOwn true when {@link open} has made the driver
   */
  createStore?(client: SqlClient<never>, driver: SqlDriver, isOwn: boolean): ClientStore;
}
