import type {
  DataSource,
  EntityManager,
  EntityMetadata,
  ObjectLiteral,
  QueryRunner,
} from 'typeorm';
import { FaultLog } from '../../common/index.js';
import { isConflict } from '../../database/database-errors.js';
import { isOwnSubscriber } from '../own-subscribers.js';
import type { DataSourceClient } from '../data-source-client.js';
import type { CollectedItem } from '../../capture/changes/due-events.js';
import type { EntityMessages } from '../../capture/messages/entity-messages.js';
import type { CapturePlan, EntityPlan } from '../entities/entity-plan.js';
import type { EventPlan } from '../../capture/plan/event-plan.js';
import { type BulkOperation, eventsOf } from './bulk-operation.js';
import type { BulkWriteGuard } from './bulk-write-guard.js';
import { OwnTransactions } from './own-transaction.js';
import type { Execute, WriteBuilder } from './write-builders.js';

/** The changes of the open transactions. */
interface Changes {
  collect(
    on: { queryRunner: QueryRunner; manager: EntityManager },
    item: CollectedItem,
  ): Promise<void> | void;
  /** Notes that the open transaction of a connection writes rows of an entity, and that these rows are not read. */
  noteUnseen(queryRunner: QueryRunner, plan: EntityPlan): void;
  /**
   * Refuses a captured write in a transaction that was begun by hand.
   *
   * @param queryRunner undefined when it is not known yet
   * @throws {@link TransactionByHandError}
   */
  refuseByHand(queryRunner: QueryRunner | undefined): void;
  /** Lets the commit of the open transaction of a connection fail. */
  refuse(queryRunner: QueryRunner, reason: Error): void;
}

/** A write that a query builder is told to make. */
export interface BuilderWrite {
  readonly context: WriteContext;
  /** The application's: it is read, and never changed. */
  readonly builder: WriteBuilder;
  /** The entity, or the junction table, that is written. */
  readonly metadata: EntityMetadata;
  readonly execute: Execute;
}

/** The values that a query builder inserts, or sets. */
export function valueSetsOf({
  expressionMap: { valuesSet },
}: WriteBuilder): readonly ObjectLiteral[] {
  if (Array.isArray(valuesSet)) return valuesSet;
  return typeof valuesSet === 'object' && valuesSet !== null ? [valuesSet] : [];
}

/** The things that all writes of one data source share. */
export class WriteContext {
  readonly #faults = new FaultLog();
  readonly transactions: OwnTransactions;

  constructor(
    readonly client: DataSourceClient,
    readonly plan: CapturePlan,
    private readonly changes: Changes,
    readonly guard: BulkWriteGuard,
    private readonly messages: Pick<EntityMessages, 'heardOf'>,
  ) {
    this.transactions = new OwnTransactions(client, changes);
  }

  get dataSource(): DataSource {
    return this.client.dataSource;
  }

  /** Tells whether an INSERT can return the values that the database has filled in. */
  get canReturn(): boolean {
    return this.dataSource.driver.isReturningSqlSupported('insert');
  }

  /** Adds changes that a write has made in the transaction of its connection. */
  collect(queryRunner: QueryRunner, changes: Iterable<CollectedItem>): void {
    const on = { queryRunner, manager: queryRunner.manager };
    for (const change of changes) void this.changes.collect(on, change);
  }

  /**
   * Tells whether any subscriber may get an event of a write. It is asked before the write gets a transaction and its
   * rows are read. In an open transaction every event of the entity counts, because an event of a later write reports
   * the changes of the whole transaction.
   *
   * @param mayReport tells whether an event may report the write. Default: the events of the operation
   */
  mayBeHeard(
    plan: EntityPlan,
    operation: BulkOperation,
    builder: WriteBuilder,
    mayReport: (event: EventPlan) => boolean = () => true,
  ): boolean {
    const events = this.transactions.isOpenFor(builder)
      ? plan.events
      : eventsOf(plan, operation).filter(mayReport);
    return this.messages.heardOf(events).length > 0;
  }

  /** Tells whether anybody may hear of a save, before its rows are read for it. */
  mayBeHeardBySave({ events }: EntityPlan): boolean {
    return this.messages.heardOf(events).length > 0;
  }

  /** Tells whether the application has hooks of a kind. Such hooks may set values that cannot be known before. */
  hasHooks(metadata: EntityMetadata, kind: 'beforeUpdate' | 'beforeInsert'): boolean {
    return (
      metadata[`${kind}Listeners`].length > 0 ||
      this.dataSource.subscribers.some((one) => one[kind] !== undefined && !isOwnSubscriber(one))
    );
  }

  /**
   * A write is not captured, and may remove rows softly, recover them, or insert rows again that were removed: before the
   * commit, the rows that its transaction has written are looked at again. Rows that are gone need no note, as each statement
   * may remove some.
   */
  noteUnseen(plan: EntityPlan, operation: BulkOperation, builder: WriteBuilder): void {
    if (operation === 'update' || operation === 'delete') return;
    const runner = this.transactions.runnerOf(builder);
    if (runner?.isTransactionActive === true) this.changes.noteUnseen(runner, plan);
  }

  /**
   * Refuses a write after it was made. The application may catch the error in its own transaction, so the transaction
   * is marked and cannot be committed.
   *
   * @throws the error
   */
  refuse(queryRunner: QueryRunner, error: Error): never {
    this.changes.refuse(queryRunner, error);
    throw error;
  }

  /**
   * Reads the rows that a write needs. The log names the write that an error belongs to, because its caller has not
   * asked for this read.
   */
  read<Result>(
    { name }: EntityMetadata,
    operation: BulkOperation,
    read: () => Promise<Result>,
  ): Promise<Result> {
    return read().catch((error: unknown) => {
      // A caller whose transaction ends for another one repeats it, and needs no word of ours.
      if (!isConflict(error)) {
        this.#faults.report(
          `${name}: ${operation} is not made, because the rows that it hits cannot be read for their events`,
          error,
        );
      }
      throw error;
    });
  }
}
