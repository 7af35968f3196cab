import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { AsyncVariable } from '../../common/async/async-variable.js';
import { type ReplacedCall, replaceMethods, TRANSACTIONAL } from '../../typeorm/index.js';

type TransactionalCall = ReplacedCall<EntityManager, Promise<unknown>>;

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
 * A transaction that was begun with `startTransaction()` has no function that would run within it, so nobody can tell
 * who belongs to it.
 */
export class TransactionScopes {
  readonly #begunByHand = new Set<QueryRunner>();
  #restore: (() => void) | undefined;

  constructor(private readonly dataSource: DataSource) {}

  /** The manager of the innermost open transaction that the caller is in, of the data sources that `isWanted` answers. */
  static manager(isWanted: (dataSource: DataSource) => boolean): EntityManager | undefined {
    for (let scope = scopes.get(); scope !== undefined; scope = scope.outer) {
      const { runner, dataSource } = scope;
      if (!runner || !isOpen(runner) || !isWanted(dataSource)) continue;
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
    const around = (call: TransactionalCall): Promise<unknown> => this.#run(call);
    this.#restore ??= replaceMethods(dataSource, dataSource.manager, TRANSACTIONAL, around);
  }

  uninstall(): void {
    this.#restore?.();
    this.#restore = undefined;
  }

  /** A transaction or a savepoint has begun. */
  begin(runner: QueryRunner): void {
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

  async #run({ self, proceed }: TransactionalCall): Promise<unknown> {
    const { dataSource } = this;
    const scope: Scope = { dataSource, outer: scopes.get(), runner: self.queryRunner };
    return scopes.run(scope, proceed, () => (scope.runner = null));
  }
}

function isOpen({ isTransactionActive, isReleased }: QueryRunner): boolean {
  return isTransactionActive && !isReleased;
}
