import { createHash, randomUUID } from 'node:crypto';
import { Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { errorText } from '../../common/index.js';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { isTableMissing } from '../../database/database-errors.js';
import type { Statement } from '../../database/dialect.js';
import { createTables } from '../../database/pooled-store.js';
import { checkTables, missingTable, type TablesPlace } from '../../database/schema/check-tables.js';
import type { RowOf } from '../../database/schema/table-definition.js';
import { RECEIVED_MESSAGES } from '../../database/schema/thorn-tables.js';
import {
  type JoinedTransaction,
  RECEIVER_TABLE,
  type SqlClient,
  type SqlExecutor,
  type SqlTables,
} from '../../database/sql-client.js';
import { TableRows } from '../../database/table-rows.js';
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
import { type MigrationRunner, schemaOf } from '../../database/schema/data-source-schema.js';

const PURGE_INTERVAL = 3_600_000;

/**
 * A message or a key, as one row knows it. `sequence` is the greatest number that is processed, 0 for none. `token` identifies the
 * attempt that processes a message, and is empty when no attempt does.
 */
type ReceivedRow = RowOf<typeof RECEIVED_MESSAGES>;

/** The table `thorn_received_messages` of a database. Expired rows are deleted once an hour, when the table is used. */
export class ReceivedTable implements OnApplicationBootstrap, OnApplicationShutdown {
  // One map for the whole process: `verifyWebhook()` is a function without a service, and each table remembers when it
  // was last purged.
  static readonly #known = new WeakMap<SqlDataSource, ReceivedTable>();
  readonly rows: TableRows<ReceivedRow>;
  /** The name of the table as it is written in SQL. */
  readonly name: string;
  readonly tables: SqlTables;
  readonly #logger = new Logger('ThornReceiver');
  #purgedAt = 0;

  constructor(private readonly client: SqlClient) {
    this.tables = createTables(client);
    this.name = client.table(RECEIVER_TABLE);
    this.rows = this.#rowsBy(this.tables);
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

  /** The rows within a transaction of the application. @throws as `SqlClient.join` */
  async join(transaction: unknown): Promise<TableRows<ReceivedRow>> {
    const joined = await this.client.join(transaction);
    const run = (statement: Statement) =>
      joined.run(statement).catch(async (error: unknown) => {
        if (error instanceof ThornError || !isTableMissing(error)) throw error;
        throw await missingTable(joined, this.#place, this.name, [], error);
      });
    return this.#rowsBy({ dialect: joined.dialect, run, proof: joined.proof });
  }

  /** Not awaited: no webhook waits for it. */
  purgeIfDue(now: number): void {
    if (now < this.#purgedAt + PURGE_INTERVAL) return;
    this.#purgedAt = now;
    // An hour late: a handler that outlives its claim can still mark the row.
    this.rows.delete('kept_until <= ?', now - PURGE_INTERVAL).catch((error: unknown) => {
      this.#logger.warn(`Expired messages could not be deleted: ${errorText(error)}`);
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    await checkTables(this.tables, this.#place, [RECEIVED_MESSAGES]).catch(
      async (error: unknown) => {
        await this.onApplicationShutdown();
        throw error;
      },
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await this.tables.close?.();
    await this.client.close?.();
  }

  get #place(): TablesPlace {
    const { name, schema } = this.client;
    const text = `The database of ${name}`;
    return { name, text, remedy: 'Run', option: ' --receiver', schema };
  }

  #rowsBy(executor: SqlExecutor & Pick<JoinedTransaction, 'proof'>): TableRows<ReceivedRow> {
    return new TableRows(executor, this.name);
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
    const { rows } = this.table;
    const { now, leasedUntil: leased_until, keptUntil: kept_until } = times;
    this.table.purgeIfDue(now);
    const hash = hashOf(claim.kind, claim.receiver, claim.key);
    const mine = { sequence: 0, token: claim.token, leased_until, kept_until };
    await rows.insertUnlessThere({ hash, ...mine });
    const [found] = await rows.select('hash = ?', hash);
    // The row was purged this very moment; the sender's next attempt finds out.
    if (found === undefined) return 'in-progress';
    if (found.token === claim.token) return 'claimed';
    const sequence = Number(found.kept_until) > now ? Number(found.sequence) : 0;
    if (sequence >= claim.sequence) return 'processed';
    if (found.token !== '' && Number(found.leased_until) > now) return 'in-progress';
    const replaced = await rows.update(
      { ...mine, sequence },
      'hash = ? AND token = ? AND leased_until = ? AND sequence = ?',
      ...[hash, found.token, found.leased_until, found.sequence],
    );
    return replaced > 0 ? 'claimed' : 'in-progress';
  }

  override async complete(claim: MessageClaim, { keptUntil }: ClaimTimes): Promise<void> {
    const { kind, receiver, key, sequence, token } = claim;
    const sql = `UPDATE ${this.table.name} SET sequence = CASE WHEN sequence < ? THEN ? ELSE sequence END, kept_until = ?, token = CASE WHEN token = ? THEN '' ELSE token END WHERE hash = ?`;
    const parameters = [sequence, sequence, keptUntil, token, hashOf(kind, receiver, key)];
    await this.table.tables.run({ sql, parameters });
  }

  override async release({ kind, receiver, key, token }: MessageClaim): Promise<void> {
    const hash = hashOf(kind, receiver, key);
    await this.table.rows.update({ token: '' }, 'hash = ? AND token = ?', hash, token);
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
  const rows = await known.join(transaction);
  const hash = hashOf('once', receiver, id);
  const token = randomUUID();
  const record = { sequence: 1, token, leased_until: now, kept_until: now + retention };
  await rows.insertUnlessThere({ hash, ...record });
  // The row shows which attempt was first; counts of inserted rows differ between databases.
  const isFirst = await rows.has('hash = ? AND token = ?', hash, token);
  if (!isFirst) await rows.assertThere('hash = ?', hash);
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
