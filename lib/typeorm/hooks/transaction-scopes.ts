import type {
  DataSource,
  EntityManager,
  EntitySubscriberInterface,
  QueryRunner,
  TransactionStartEvent,
} from 'typeorm';
import { AsyncVariable } from '../../common/async-variable.js';
import { type ReplacedCall, replaceMethods } from '../replaced-methods.js';

type TransactionalCall = ReplacedCall<EntityManager, Promise<unknown>>;

/** A call of `transaction()`, from its begin to its end. */
interface Scope {
  readonly dataSource: DataSource;
  readonly outer: Scope | undefined;
  /** Undefined until the transaction has begun, null when the call has ended. */
  runner: QueryRunner | undefined | null;
}

/** Open transactions above which those are looked for that have ended without a hook, as with their connection. */
const MANY_OPEN = 100;

/** One variable for all data sources, so that the innermost transaction is known. */
const scopes = new AsyncVariable<Scope>();

/**
 * Knows which transaction of a data source each caller is in, when a manager has opened it for a function with
 * `transaction()`. It is a subscriber of the data source.
 *
 * A transaction that `save()` or `startTransaction()` has begun runs no function, so the callers that belong to it
 * cannot be known.
 */
export class TransactionScopes implements EntitySubscriberInterface {
  /** The open transactions without a function, and whether a statement of theirs is under way. */
  readonly #withoutFunction = new Map<QueryRunner, boolean>();
  readonly #open = new Set<QueryRunner>();
  /** The last transaction of each query runner, as an object of its own. */
  readonly #last = new WeakMap<QueryRunner, object>();
  /** The last transaction of each manager: on SQLite a query runner gets a new manager whenever it is asked for. */
  readonly #lastOf = new WeakMap<EntityManager, object>();
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

  /**
   * Tells whether a transaction is open whose callers cannot be known, and that may have called: it waits for no statement.
   */
  get hasUnknownCallers(): boolean {
    for (const [runner, isWaiting] of this.#withoutFunction) {
      if (!isOpen(runner)) this.#withoutFunction.delete(runner);
      else if (!isWaiting) return true;
    }
    return false;
  }

  /** Tells whether any transaction is open, or about to begin. */
  get hasOpen(): boolean {
    this.#forgetEnded();
    return this.#open.size > 0;
  }

  /** Tells whether a manager was in a transaction that has ended, also where its connection has begun another one since. */
  hasEnded(manager: EntityManager): boolean {
    const { queryRunner } = manager;
    const last = this.#lastOf.get(manager);
    if (queryRunner === undefined || last === undefined) return false;
    return !isOpen(queryRunner) || this.#last.get(queryRunner) !== last;
  }

  install(): void {
    const { dataSource } = this;
    const around = (call: TransactionalCall): Promise<unknown> => this.#run(call);
    this.#restore ??= replaceMethods(dataSource, dataSource.manager, ['transaction'], around);
  }

  uninstall(): void {
    this.#restore?.();
    this.#restore = undefined;
  }

  /** A statement begins, or has ended. */
  statement(runner: QueryRunner, isUnderWay: boolean): void {
    if (this.#withoutFunction.has(runner)) this.#withoutFunction.set(runner, isUnderWay);
    if (isUnderWay && this.#open.has(runner)) this.#noteManager(runner);
  }

  /** A transaction or a savepoint begins, once there is a connection for it. */
  beforeTransactionStart({ queryRunner: runner }: TransactionStartEvent): void {
    if (this.#open.size >= MANY_OPEN) this.#forgetEnded();
    if (!this.#open.has(runner)) this.#last.set(runner, {});
    this.#open.add(runner);
    this.#noteManager(runner);
    for (let scope = scopes.get(); scope !== undefined; scope = scope.outer) {
      if (scope.runner === runner) return;
      if (scope.runner === undefined && scope.dataSource === this.dataSource) {
        scope.runner = runner;
        return;
      }
    }
    // Until the statement that begins the transaction has ended.
    this.#withoutFunction.set(runner, true);
  }

  /** A transaction has ended, or a savepoint. */
  end(runner: QueryRunner): void {
    if (runner.isTransactionActive) return;
    this.#withoutFunction.delete(runner);
    this.#open.delete(runner);
  }

  #noteManager(runner: QueryRunner): void {
    const last = this.#last.get(runner);
    if (last !== undefined && this.#lastOf.get(runner.manager) !== last) {
      this.#lastOf.set(runner.manager, last);
    }
  }

  #forgetEnded(): void {
    for (const runner of this.#open) if (!isOpen(runner)) this.#open.delete(runner);
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
