import type {
  DataSource,
  EntityManager,
  EntityMetadata,
  ObjectLiteral,
  QueryRunner,
} from 'typeorm';
import { KeyedMutex } from '../../common/async/keyed-mutex.js';
import { FaultLog } from '../../common/index.js';
import { isConflict } from '../../database/database-errors.js';
import type { Removals } from '../cascades/removals.js';
import type { CollectedItem } from '../changes/due-events.js';
import type { CapturePlan, EntityPlan } from '../entities/entity-plan.js';
import type { BulkOperation } from './bulk-operation.js';
import type { BulkWriteGuard } from './bulk-write-guard.js';
import { runnerOf } from './own-transaction.js';
import type { Execute, WriteBuilder } from './write-builders.js';

/** The changes of the open transactions. */
interface Changes {
  collect(
    on: { queryRunner: QueryRunner; manager: EntityManager },
    item: CollectedItem,
  ): Promise<void> | void;
  /** The open transaction of a connection removes rows of an entity softly, or recovers some, and nobody reads which. */
  noteUnseen(queryRunner: QueryRunner, plan: EntityPlan): void;
  /**
   * Refuses a captured write in a transaction that was begun by hand.
   *
   * @param queryRunner undefined when it is not known yet
   * @throws {@link TransactionByHandError}
   */
  refuseByHand(queryRunner: QueryRunner | undefined): void;
  /** Tells whether the application may have begun to read a snapshot in the open transaction of a connection. */
  hasSnapshot(queryRunner: QueryRunner): boolean;
  /** Makes statements in the open transaction of a connection that the application has not asked for. */
  asOwn<Result>(queryRunner: QueryRunner, run: () => Promise<Result>): Promise<Result>;
  /** Lets the commit of the open transaction of a connection fail. */
  refuse(queryRunner: QueryRunner, reason: Error): void;
}

/** A write that a query builder is told to make. */
export interface BuilderWrite {
  readonly context: WriteContext;
  readonly builder: WriteBuilder;
  /** The entity, or the junction table, that is written. */
  readonly metadata: EntityMetadata;
  /** Makes the write as TypeORM does. */
  readonly execute: Execute;
}

/** The values that a query builder inserts, or sets. */
export function valueSetsOf({
  expressionMap: { valuesSet },
}: WriteBuilder): readonly ObjectLiteral[] {
  if (Array.isArray(valuesSet)) return valuesSet;
  return typeof valuesSet === 'object' && valuesSet !== null ? [valuesSet] : [];
}

/** What the writes of one data source have in common. */
export class WriteContext {
  readonly #faults = new FaultLog();
  /** One for each capture: the write of one may be within that of another. */
  readonly mutex = new KeyedMutex<object>();

  /** @param planOf the events of the data source */
  constructor(
    readonly dataSource: DataSource,
    private readonly planOf: () => CapturePlan,
    readonly changes: Changes,
    readonly guard: BulkWriteGuard,
    readonly removals: Removals,
  ) {}

  /** The events of the data source. */
  get plan(): CapturePlan {
    return this.planOf();
  }

  /** Adds changes that a write has made in the transaction of its connection. */
  collect(queryRunner: QueryRunner, changes: Iterable<CollectedItem>): void {
    const on = { queryRunner, manager: queryRunner.manager };
    for (const change of changes) void this.changes.collect(on, change);
  }

  /** Tells whether a query builder is going to write in a transaction that is open. */
  isInTransaction(builder: WriteBuilder): boolean {
    return runnerOf(builder, this.dataSource)?.isTransactionActive === true;
  }

  /**
   * A write is not captured: the commit has to look what has become of rows that its transaction has made or changed. That
   * they may be gone is seen in its statement.
   */
  noteUnseen(plan: EntityPlan, operation: BulkOperation, builder: WriteBuilder): void {
    if (operation === 'update' || operation === 'delete') return;
    const runner = runnerOf(builder, this.dataSource);
    if (runner?.isTransactionActive === true) this.changes.noteUnseen(runner, plan);
  }

  /**
   * Refuses a write that has hit other rows than were read for its events. Its transaction is the application's, which may
   * catch the error: it cannot commit what was written.
   *
   * @throws {@link BulkWriteError}
   */
  refuseOthers(
    queryRunner: QueryRunner,
    { name }: EntityMetadata,
    operation: BulkOperation,
    counts: { readonly read: number; readonly hit: number },
  ): never {
    const error = this.guard.otherRows(name, operation, counts);
    this.changes.refuse(queryRunner, error);
    throw error;
  }

  /**
   * Reads what a write needs. The log tells which write an error belongs to: its caller has asked for no such read.
   *
   * @param isOfRead tells whether an error may come from the read. Default: any does
   */
  read<Result>(
    { name }: EntityMetadata,
    operation: BulkOperation,
    read: () => Promise<Result>,
    isOfRead: (error: unknown) => boolean = () => true,
  ): Promise<Result> {
    return read().catch((error: unknown) => {
      // A caller whose transaction ends for another one repeats it, and needs no word of ours.
      if (isOfRead(error) && !isConflict(error)) {
        this.#faults.report(
          `${name}: ${operation} is not made, because the rows that it hits cannot be read for their events`,
          error,
        );
      }
      throw error;
    });
  }
}
