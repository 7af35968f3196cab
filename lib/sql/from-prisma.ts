import { OptionChecks } from '../common/option-checks.js';
import { isConflict } from '../database/database-errors.js';
import type { Statement } from '../database/dialect.js';
import { ThornConfigurationError } from '../errors/index.js';
import type { Row, SqlClientDefinition } from '../database/sql-client.js';
import type { ClientSource } from './client-source.js';
import type { Answer, ClientDatabase } from './databases/client-database.js';
import { databaseNamed, DATABASES, SQLITE } from './databases/databases.js';
import { DriverClient } from './driver-client.js';
import { defineDriverClient, type StoreOptions } from './store-driver.js';

const CALLER = 'fromPrisma()';
const OLDEST_MAJOR = 6;

/** The part of a `PrismaClient` that is used. */
export interface PrismaClientLike {
  $connect(): PromiseLike<unknown>;
  $queryRawUnsafe(sql: string, ...values: never[]): PromiseLike<unknown>;
}

/** The transaction of `prisma.$transaction(async (tx) => …)`. */
export interface PrismaTransaction {
  $queryRawUnsafe(sql: string, ...values: never[]): PromiseLike<unknown>;
  $executeRawUnsafe(sql: string, ...values: never[]): PromiseLike<number>;
  /** Only the client itself has this property, and the client is in no transaction. */
  readonly $connect?: never;
}

/** Properties that Prisma's types leave out. */
interface Internals {
  readonly _activeProvider?: string;
  readonly _originalClient?: object;
  readonly _clientVersion?: string;
}

/**
 * Stores messages with Prisma 6 or 7 on PostgreSQL, MariaDB and SQLite. All other work runs on `pg`, `mysql2` or
 * `better-sqlite3`, because Prisma does not show its pool. The library does not change the journal mode of SQLite.
 *
 * @param client the application's `PrismaClient`, its injection token such as `PrismaService`, or a factory
 * @throws `ThornConfigurationError` here or at start-up, for a wrong argument
 *
 * @example
 * ```ts
 * ThornModule.forRoot({ database: fromPrisma(PrismaService, { url: process.env.DATABASE_URL }) });
 * ```
 */
export function fromPrisma(
  client: ClientSource<PrismaClientLike>,
  options: StoreOptions,
): SqlClientDefinition<PrismaTransaction> {
  return defineDriverClient(
    { caller: CALLER, databases: DATABASES, client, options, hasPool: false },
    (prisma, connect) => {
      const isClient = typeof prisma?.$connect === 'function';
      const check = new OptionChecks(CALLER);
      check.assert('client', isClient, 'must be a PrismaClient, or what gives one');
      checkVersion(prisma);
      const database = databaseOf(prisma);
      const hasPool = database === SQLITE && options.pool !== undefined;
      check.assert('pool', !hasPool, 'is for servers: on SQLite give `url`, the file');
      return new PrismaSqlClient(connect(database));
    },
  );
}

class PrismaSqlClient extends DriverClient<PrismaTransaction> {
  readonly name = 'Prisma';
  protected readonly how = 'prisma.$transaction(async (tx) => …)';

  protected override check(tx: PrismaTransaction): void {
    // In Prisma 7, a transaction also has $transaction, so that only $connect tells the client from a transaction.
    if (typeof tx?.$executeRawUnsafe !== 'function' || tx.$connect !== undefined) {
      throw this.required();
    }
    databaseOf(tx, [this.database]);
  }

  /** The client that has begun the transaction. */
  protected override originOf(tx: PrismaTransaction): object {
    return (tx as Internals)._originalClient ?? this;
  }

  protected override async run(
    tx: PrismaTransaction,
    { sql, parameters, answersRows }: Statement,
  ): Promise<Answer> {
    const values = parameters as never[];
    // Prisma has two methods: one answers the rows, and the other answers the number of written rows.
    if (answersRows === true) {
      const rows = (await tx.$queryRawUnsafe(sql, ...values)) as Row[];
      return { rows, affected: rows.length };
    }
    return { rows: [], affected: await tx.$executeRawUnsafe(sql, ...values) };
  }

  protected override translated(code: string | undefined, error: unknown): unknown {
    if (code === 'P2028') return this.ended(error);
    return isConflict(error)
      ? writeConflict(error, this.database === SQLITE ? 'P1008' : 'P2034')
      : super.translated(code, error);
  }
}

/**
 * Refuses a client of Prisma 5. It has no `engineType = "client"`, and its own engine would refuse the library's values
 * in the caller's transaction.
 */
function checkVersion(prisma: object): void {
  const { _clientVersion: version = '' } = prisma as Internals;
  if (version === '' || Number.parseInt(version, 10) >= OLDEST_MAJOR) return;
  throw new ThornConfigurationError(
    'THORN_VERSION_UNSUPPORTED',
    `${CALLER} needs Prisma 6 or 7, and the client is of Prisma ${version}. Upgrade, to 7 if you can: ` +
      'npm install prisma@7 @prisma/client@7. With Prisma 6, write engineType = "client" into the generator block.',
    { package: '@prisma/client', version },
  );
}

/** @param databases the databases that are possible */
function databaseOf(client: object, databases = DATABASES): ClientDatabase {
  const { _activeProvider: provider = 'postgresql' } = client as Internals;
  return databaseNamed(CALLER, `The client (${provider})`, databases, provider);
}

/** An error of Prisma that has a code. */
interface KnownRequestError extends Error {
  readonly clientVersion: string;
  readonly meta?: object;
  readonly constructor: new (message: string, details: object) => Error;
}

/**
 * The error that Prisma throws when one of its own statements fails with a write conflict or a deadlock. Applications
 * repeat a transaction that fails with it. A raw statement, such as a statement of the library, fails with P2010
 * instead.
 *
 * @param code the code of Prisma: P2034, or P1008 on SQLite
 */
function writeConflict(error: unknown, code: string): Error {
  const { constructor: KnownError, message, clientVersion, meta } = error as KnownRequestError;
  return new KnownError(message, { code, clientVersion, meta });
}
