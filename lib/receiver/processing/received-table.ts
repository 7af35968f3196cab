import { createHash } from 'node:crypto';
import { Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { errorText } from '../../common/index.js';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { isTableMissing } from '../../database/database-errors.js';
import type { Statement } from '../../database/dialect.js';
import { createTables } from '../../database/pooled-store.js';
import { checkTables, missingTable, type TablesPlace } from '../../database/schema/check-tables.js';
import { RECEIVED_MESSAGES } from '../../database/schema/thorn-tables.js';
import {
  type JoinedTransaction,
  RECEIVER_TABLE,
  type SqlClient,
  type SqlExecutor,
  type SqlTables,
} from '../../database/sql-client.js';
import { TableRows } from '../../database/table-rows.js';
import { TransactionRequiredError } from '../../database/transaction-required.error.js';
import {
  type SqlDataSource,
  type SqlManager,
  TypeOrmClient,
} from '../../database/typeorm-client.js';
import { ThornError } from '../../errors/index.js';
import type { ClaimKind } from './received-messages.js';

const PURGE_INTERVAL = 3_600_000;

/** A message or a key, as one row knows it. Times in milliseconds since the Unix epoch. */
export interface ReceivedRow {
  readonly hash: string;
  /** Greatest number that is processed; 0 for none. */
  readonly sequence: number | string;
  /** Of the attempt that processes a message; empty when none does. */
  readonly token: string;
  readonly leased_until: number | string;
  readonly kept_until: number | string;
}

/** The table `thorn_received_messages` of a database. Expired rows are deleted once an hour, when the table is used. */
export class ReceivedTable implements OnApplicationBootstrap, OnApplicationShutdown {
  // For the whole process: `verifyWebhook()` is a function without a service, and a table knows when it was last purged.
  static readonly #known = new WeakMap<SqlDataSource, ReceivedTable>();
  readonly rows: TableRows<ReceivedRow>;
  /** In SQL. */
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
export function hashOf(purpose: ClaimKind | 'once', receiver: string, key: string): string {
  return createHash('sha256')
    .update(JSON.stringify([purpose, receiver, key]))
    .digest('hex');
}
