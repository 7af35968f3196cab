import { createHash, randomUUID } from 'node:crypto';
import { Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { errorText } from '../../common/index.js';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { isTableMissing } from '../../database/database-errors.js';
import type { Statement } from '../../database/dialect.js';
import { createTables } from '../../database/pooled-store.js';
import {
  checkTables,
  missingTable,
  type NamedDatabase,
} from '../../database/schema/check-tables.js';
import { RECEIVED_MESSAGES } from '../../database/schema/thorn-tables.js';
import {
  type JoinedTransaction,
  readRows,
  RECEIVER_TABLE,
  runSteps,
  type SqlClient,
  type SqlExecutor,
  type SqlTables,
} from '../../database/sql-client.js';
import { TransactionRequiredError } from '../../database/errors.js';
import {
  type SqlDataSource,
  type SqlManager,
  TypeOrmClient,
} from '../../database/typeorm-client.js';
import { ThornError, InvalidInputError } from '../../errors/index.js';
import {
  type ClaimKind,
  type ClaimResult,
  type ClaimTimes,
  type MessageClaim,
  ReceivedMessages,
} from './received-messages.js';
import {
  completeReceived,
  countLocked,
  type Counted,
  countOwn,
  deleteExpiredReceived,
  insertReceived,
  releaseReceived,
  type ReceivedTarget,
  selectReceived,
  takeReceivedOver,
} from './received-statements.js';
import { type MigrationRunner, schemaOf } from '../../database/schema/data-source-schema.js';

const PURGE_INTERVAL = 3_600_000;

/** The table `thorn_received_messages` of a database. Expired rows are deleted once an hour, when the table is used. */
export class ReceivedTable implements OnApplicationBootstrap, OnApplicationShutdown {
  // One map for the whole process: `verifyWebhook()` is a function without a service, and each table remembers when it
  // was last purged.
  static readonly #known = new WeakMap<SqlDataSource, ReceivedTable>();
  readonly database: SqlTables;
  readonly target: ReceivedTarget;
  readonly #logger = new Logger('ThornReceiver');
  #purgedAt = 0;

  constructor(private readonly client: SqlClient) {
    this.database = createTables(client);
    this.target = { dialect: client.dialect, table: client.table(RECEIVER_TABLE) };
  }

  /** The table of the data source that a manager of TypeORM belongs to. */
  static of(manager: unknown): ReceivedTable {
    const dataSource: SqlDataSource | undefined = dataSourceOf((manager ?? {}) as SqlManager);
    if (typeof dataSource?.createQueryRunner !== 'function') {
      throw new TransactionRequiredError(
        "processOnce() takes TypeORM's manager of an open transaction: dataSource.transaction((manager) => …). For a " +
          'transaction of another client, set the option database of ThornReceiverModule.forRoot().',
      );
    }
    const table = this.#known.get(dataSource) ?? new ReceivedTable(new TypeOrmClient(dataSource));
    this.#known.set(dataSource, table);
    return table;
  }

  /** The table within a transaction of the application. @throws as `SqlClient.join` */
  async join(transaction: unknown): Promise<SqlExecutor & Pick<JoinedTransaction, 'proof'>> {
    const joined = await this.client.join(transaction);
    const run = (statement: Statement) =>
      joined.run(statement).catch(async (error: unknown) => {
        if (error instanceof ThornError || !isTableMissing(error)) throw error;
        throw await missingTable(joined, this.#named, this.target.table, [], error);
      });
    return { dialect: joined.dialect, run, proof: joined.proof };
  }

  /** Not awaited: no webhook waits for it. */
  purgeIfDue(now: number): void {
    if (now < this.#purgedAt + PURGE_INTERVAL) return;
    this.#purgedAt = now;
    // An hour late: a handler that outlives its claim can still mark the row.
    const removal = deleteExpiredReceived(this.target, now - PURGE_INTERVAL);
    this.database.run(removal).catch((error: unknown) => {
      this.#logger.warn(`Expired messages could not be deleted: ${errorText(error)}`);
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    await checkTables(this.database, this.#named, [RECEIVED_MESSAGES]).catch(
      async (error: unknown) => {
        await this.onApplicationShutdown();
        throw error;
      },
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await this.database.close?.();
    await this.client.close?.();
  }

  get #named(): NamedDatabase {
    const { name, schema } = this.client;
    const text = `The database of ${name}`;
    return { name, text, remedy: 'Run', option: ' --receiver', schema };
  }
}

/**
 * Computes the key of a row. A hash, because ids have no length limit and databases compare texts in ways of their own:
 * under some collations `a` and `A` are the same message.
 */
function hashOf(purpose: ClaimKind | 'once', receiver: string, key: string): string {
  return createHash('sha256')
    .update(JSON.stringify([purpose, receiver, key]))
    .digest('hex');
}

/** Remembers messages and keys in the table `thorn_received_messages`, for all processes together. */
export class DatabaseReceivedMessages extends ReceivedMessages {
  constructor(private readonly table: ReceivedTable) {
    super();
  }

  override async claim(claim: MessageClaim, times: ClaimTimes): Promise<ClaimResult> {
    const { database, target } = this.table;
    const { now, leasedUntil: leased_until, keptUntil: kept_until } = times;
    this.table.purgeIfDue(now);
    const hash = hashOf(claim.kind, claim.receiver, claim.key);
    const mine = { sequence: 0, token: claim.token, leased_until, kept_until };
    await database.run(insertReceived(target, { hash, ...mine })());
    const [found] = await readRows(database, selectReceived(target, hash));
    // The row was purged this very moment; the sender's next attempt finds out.
    if (found === undefined) return 'in-progress';
    if (found.token === claim.token) return 'claimed';
    const sequence = Number(found.kept_until) > now ? Number(found.sequence) : 0;
    if (sequence >= claim.sequence) return 'processed';
    if (found.token !== '' && Number(found.leased_until) > now) return 'in-progress';
    const { affected } = await database.run(takeReceivedOver(target, found, { ...mine, sequence }));
    return affected > 0 ? 'claimed' : 'in-progress';
  }

  override async complete(claim: MessageClaim, { keptUntil }: ClaimTimes): Promise<void> {
    const { kind, receiver, key, sequence, token } = claim;
    const hash = hashOf(kind, receiver, key);
    const { database, target } = this.table;
    await database.run(completeReceived(target, { hash, sequence, token, kept_until: keptUntil }));
  }

  override async release({ kind, receiver, key, token }: MessageClaim): Promise<void> {
    const { database, target } = this.table;
    await database.run(releaseReceived(target, hashOf(kind, receiver, key), token));
  }
}

interface ProcessedMessage {
  readonly receiver: string;
  readonly id: string | null;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** Milliseconds after which the record may be deleted. */
  readonly retention: number;
}

/** @param table default: the table in the data source that the transaction belongs to */
export async function processOnce<Result>(
  table: ReceivedTable | undefined,
  transaction: unknown,
  { receiver, id, now, retention }: ProcessedMessage,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  if (id === null) {
    throw new InvalidInputError(
      'id',
      'is missing: without the id of a message, repetitions cannot be recognised',
    );
  }
  const known = table ?? ReceivedTable.of(transaction);
  const joined = await known.join(transaction);
  const target = { ...known.target, proof: joined.proof };
  const isThere = async (counted: Counted) =>
    Number((await readRows(joined, counted))[0]!.count) > 0;
  const hash = hashOf('once', receiver, id);
  const token = randomUUID();
  const record = { sequence: 1, token, leased_until: now, kept_until: now + retention };
  await runSteps(
    (statement) => joined.run(statement),
    [insertReceived(target, { hash, ...record })],
  );
  // The row shows which attempt was first; counts of inserted rows differ between databases.
  const isFirst = await isThere(countOwn(target, hash, token));
  const { dialect, proof } = target;
  // On MySQL the answer to the INSERT does not tell whether it ran in the transaction: the row itself does.
  if (!isFirst && proof !== undefined && dialect.name === 'mysql') {
    if (!(await isThere(countLocked(target, hash, proof)))) throw proof.ended();
  }
  known.purgeIfDue(now);
  return isFirst ? work() : undefined;
}

/**
 * Migration of the table `thorn_received_messages`, for TypeORM's own runner: name it among the data source's
 * `migrations`. Needed by the option `database` of receivers, and by `processOnce()`.
 */
export class CreateThornReceivedMessages1767312060000 {
  // Explicit, since a bundler may rename the class, and TypeORM remembers migrations by this name.
  readonly name = 'CreateThornReceivedMessages1767312060000';

  async up(runner: MigrationRunner): Promise<void> {
    for (const sql of schemaOf(runner).create([RECEIVED_MESSAGES])) await runner.query(sql);
  }

  async down(runner: MigrationRunner): Promise<void> {
    for (const sql of schemaOf(runner).drop([RECEIVED_MESSAGES])) await runner.query(sql);
  }
}
