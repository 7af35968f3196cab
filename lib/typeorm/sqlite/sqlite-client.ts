import { type EntityManager, QueryFailedError, type QueryRunner } from 'typeorm';
import type { Statement } from '../../database/dialect.js';
import type { ClientWithStore } from '../../database/pooled-store.js';
import { type Result, runSteps, type Step } from '../../database/sql-client.js';
import { runStatement, type SerializeTransactions } from '../../database/sqlite-handle.js';
import { DataSourceClient } from '../data-source-client.js';
import { DataSourceStore } from './data-source-store.js';
import { SqliteTransactions } from './sqlite-transactions.js';

/** The database of a data source on SQLite, whose one connection everybody shares. */
export class SqliteClient extends DataSourceClient implements ClientWithStore {
  #store: DataSourceStore | undefined;

  createStore(): DataSourceStore {
    return (this.#store = new DataSourceStore(this));
  }

  /** Runs in one turn of the event loop: a connection that waits for the lock of another connection would block it. */
  override execute(steps: readonly Step[]): Promise<readonly Result[]> {
    const store = (this.#store ??= this.createStore());
    const joined = store.callersTransaction;
    if (joined !== undefined) return runSteps((statement) => joined.run(statement), steps);
    // Without turns nothing tells whose transaction is open. The caller may be in it, and would wait for itself.
    const isMixed = SqliteTransactions.of(this.dataSource)?.isSerial === false;
    return isMixed && store.isApplicationWriting
      ? runSteps((statement) => this.run(statement), steps)
      : store.execute(steps);
  }

  /** Unless an outbox works with the store, which has closed it by then. */
  override async close(): Promise<void> {
    await this.#store?.close();
  }

  override attach(serialize?: SerializeTransactions): void {
    SqliteTransactions.install(this.dataSource, this, serialize);
  }

  override detach(): void {
    SqliteTransactions.uninstall(this.dataSource, this);
  }

  override get ownConnections(): number | undefined {
    return this.#store?.ownConnections;
  }

  override transaction<Result>(
    manager: EntityManager | undefined,
    write: (inner: EntityManager) => Promise<Result>,
    isolation?: 'READ COMMITTED',
  ): Promise<Result> {
    SqliteTransactions.of(this.dataSource)?.noteWrite(write);
    return super.transaction(manager, write, isolation);
  }

  protected override async runOn(runner: QueryRunner, statement: Statement): Promise<Result> {
    const transactions = SqliteTransactions.of(this.dataSource);
    return transactions !== undefined && runner.isTransactionActive
      ? this.#runWithin(transactions, runner, statement)
      : super.runOn(runner, statement);
  }

  /** Without TypeORM in between, which takes several times as long as the statement. */
  #runWithin(transactions: SqliteTransactions, runner: QueryRunner, statement: Statement): Result {
    const { sql, parameters } = statement;
    return transactions.within(runner, (handle) => {
      this.dataSource.logger.logQuery(sql, parameters as unknown[], runner);
      try {
        return runStatement(handle, statement);
      } catch (error) {
        this.dataSource.logger.logQueryError(error as Error, sql, parameters as unknown[], runner);
        // Without the values: values of messages contain secrets, and applications log errors.
        throw new QueryFailedError(sql, [], error as Error);
      }
    });
  }
}
