import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { AsyncVariable, isInVariable } from '../../common/async/async-variable.js';
import {
  beginSelfContained,
  endSelfContained,
  enterSelfContained,
  hasOtherSubscribers,
  isUnshared,
  selfContained,
  SqliteTransactions,
  wrapManagers,
} from '../../sqlite/index.js';

/** A call of a manager that runs in a transaction, from its begin to its end. */
interface Scope {
  readonly dataSource: DataSource;
  readonly outer: Scope | undefined;
  /** Undefined until the transaction has begun, null when the call has ended. */
  runner: QueryRunner | undefined | null;
}

/** One for all data sources, so that the innermost transaction is known. */
const scopes = new AsyncVariable<Scope>();

/**
 * Knows for each caller the transaction of a data source that it is in: one that a manager has opened for a function
 * (`transaction()`), or for its own work (`save()`, whose hooks may send something).
 *
 * A `save()` within which nothing of the application is called has no need of it, and goes without: until Node 24 each of
 * its many promises would take longer.
 *
 * A transaction that was begun with `startTransaction()` has no function that would run within it, so nobody can tell
 * who belongs to it.
 */
export class TransactionScopes {
  readonly #begunByHand = new Set<QueryRunner>();
  #restore: (() => void) | undefined;
  /** True if entities have methods that TypeORM calls. */
  #hasListeners = false;

  constructor(private readonly dataSource: DataSource) {}

  /** The manager of the innermost open transaction that the caller is in, of the data sources that `isWanted` answers. */
  static manager(isWanted: (dataSource: DataSource) => boolean): EntityManager | undefined {
    for (let scope = scopes.get(); scope !== undefined; scope = scope.outer) {
      const { runner, dataSource } = scope;
      if (!runner || !isOpen(runner) || !isWanted(dataSource)) continue;
      enterSelfContained(runner);
      return runner.manager;
    }
    return undefined;
  }

  /** Tells whether a transaction is open whose callers cannot be known. */
  get hasUnknownCallers(): boolean {
    for (const runner of this.#begunByHand) {
      if (isOpen(runner)) return true;
      this.#begunByHand.delete(runner);
    }
    return false;
  }

  install(): void {
    const { dataSource } = this;
    this.#hasListeners = dataSource.entityMetadatas.some(({ listeners }) => listeners.length > 0);
    this.#restore ??= wrapManagers(dataSource, (manager, call, isTypeorms) =>
      isTypeorms && this.#isSelfContained(manager)
        ? this.#runSelfContained(manager, call)
        : this.#run(manager, call),
    );
  }

  uninstall(): void {
    this.#restore?.();
    this.#restore = undefined;
  }

  /** A transaction or a savepoint has begun. */
  begin(runner: QueryRunner): void {
    if (selfContained(runner) !== undefined) return;
    for (let scope = scopes.get(); scope !== undefined; scope = scope.outer) {
      if (scope.runner === runner) return;
      if (scope.runner === undefined && scope.dataSource === this.dataSource) {
        scope.runner = runner;
        return;
      }
    }
    this.#begunByHand.add(runner);
  }

  /** A transaction has ended, or a savepoint. */
  end(runner: QueryRunner): void {
    if (!runner.isTransactionActive) this.#begunByHand.delete(runner);
  }

  /**
   * Does some work of a hook that may call the application, which has to find the transaction of the connection.
   *
   * @param givesManager true when the work gives the application the manager of the connection
   */
  within<Result>(runner: QueryRunner, work: () => Result, givesManager: boolean): Result {
    if (selfContained(runner) === undefined) return work();
    if (givesManager) enterSelfContained(runner);
    const sqlite = SqliteTransactions.of(this.dataSource);
    return this.#inScope(runner, sqlite === undefined ? work : () => sqlite.runIn(runner, work));
  }

  #isSelfContained({ queryRunner }: EntityManager): boolean {
    return (
      queryRunner === undefined &&
      !this.#hasListeners &&
      !isInVariable() &&
      !hasOtherSubscribers(this.dataSource)
    );
  }

  async #runSelfContained(
    manager: EntityManager,
    call: (on?: EntityManager) => Promise<unknown>,
  ): Promise<unknown> {
    const { dataSource } = this;
    let runner = SqliteTransactions.of(dataSource)?.takeIdleRunner();
    if (runner === undefined) {
      runner = dataSource.createQueryRunner();
      if (!isUnshared(runner, dataSource)) return this.#run(manager, call);
    }
    const save = beginSelfContained(runner);
    try {
      return await call(runner.manager);
    } finally {
      endSelfContained(runner, save);
      await runner.release();
    }
  }

  #run(manager: EntityManager, call: () => Promise<unknown>): Promise<unknown> {
    try {
      // Not `async`: every save would wait for one promise more.
      return this.#inScope(manager.queryRunner, call);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #inScope<Result>(runner: QueryRunner | undefined, work: () => Result): Result {
    const scope: Scope = { dataSource: this.dataSource, outer: scopes.get(), runner };
    return scopes.run(scope, work, () => (scope.runner = null));
  }
}

function isOpen({ isTransactionActive, isReleased }: QueryRunner): boolean {
  return isTransactionActive && !isReleased;
}
