import type { Dialect, DialectName, Statement } from '../../database/dialect.js';
import type { Result, SqlClient } from '../../database/sql-client.js';
import type { TransactionProof } from '../../database/transaction-proof.js';
import type { SqlStore } from '../../database/sql-store.js';
import type { SqlDriver } from '../../database/sql-driver.js';

/** The result of a statement in a transaction of the application. */
export interface Answer extends Result {
  /** Whether a transaction was open after the statement. Undefined where the driver tells nothing of that. */
  readonly isOpen?: boolean;
}

export interface OwnDriver {
  readonly driver: SqlDriver;
  /** The most connections. */
  readonly connections: number;
  end(): Promise<void>;
}

/** A store that is not on a pool. */
export interface ClientStore extends SqlStore {
  /** The connections that were opened for it. */
  readonly ownConnections: number | undefined;
}

/** What differs between the databases that a client may be of. */
export interface ClientDatabase {
  /** For errors. */
  readonly title: string;
  /** How Prisma, Drizzle and Kysely call it; the first is that of the dialect. */
  readonly names: readonly [DialectName, ...string[]];
  /** The package that clients work with, by which Knex calls it. */
  readonly driver: string;
  readonly dialect: Dialect;
  /** The addresses of such databases. */
  readonly url: RegExp;
  /** True where tables may be in a schema of their own. */
  readonly hasSchemas: boolean;
  /** Selects `name`, and the `identity` of a database and its server, whichever way a connection has taken to it. */
  readonly identity: string;
  /** Makes the proof of a transaction. Left out where the client knows by itself. @param ended what to throw outside of it */
  prove?(ended: () => Error): TransactionProof;
  /** Selects the `number` of the transaction, which no other on the connection has; null in none. Left out as `prove`. */
  readonly number?: string;
  /** Selects as `proves` whether the server can {@link prove}, and `open`. Left out where all can. */
  readonly question?: string;
  /** Of a server that cannot: a statement that does nothing, and whose answer tells whether a transaction is open. */
  readonly statusQuestion?: string;
  /** Reads what the driver answers to promises. */
  answerOf(answer: unknown): Answer;
  /** Runs a statement on a connection of the driver, with its own placeholders. */
  runOn(connection: object, statement: Statement): Promise<Answer>;
  /** The driver that was given for the library's own work; undefined for what is none. */
  driverOf(given: object): SqlDriver | undefined;
  /** What the option `pool` takes, for errors. */
  readonly pool: string;
  /** @throws `ThornConfigurationError` `THORN_PACKAGE_MISSING` without the driver's package */
  open(place: string, url: string, connections: number): OwnDriver;
  /** Tells whether an open transaction of the client is of the driver's database; undefined where the identity tells. */
  isSame?(driver: SqlDriver): boolean | undefined;
  /** @throws `ThornConfigurationError` for an address that {@link open} cannot use. Default: all can be used */
  checkUrl?(place: string, url: string): void;
  /** Makes a store on one connection. Left out where there is a pool. @param isOwn whether {@link open} has made the driver */
  createStore?(client: SqlClient<never>, driver: SqlDriver, isOwn: boolean): ClientStore;
}
