import type { MessagePipeline } from '../../dispatch/index.js';
import type { BulkSettings, CaptureBy } from '../../event/bulk-settings.js';
import type { MessageFactory, Message } from '../../message/index.js';
import type { SerializeTransactions } from '../../database/sqlite-handle.js';
import { Logger } from '@nestjs/common';
import type {
  DataSource,
  EntityManager,
  EntityMetadata,
  EntitySubscriberInterface,
  EntityTarget,
  InsertEvent,
  ObjectLiteral,
  QueryRunner,
  RecoverEvent,
  RemoveEvent,
  SoftRemoveEvent,
  TransactionCommitEvent,
  TransactionRollbackEvent,
  UpdateEvent,
} from 'typeorm';
import { isConflict } from '../../database/database-errors.js';
import { type Around, replaceMethods } from '../replaced-methods.js';
import type { DataSourceClient } from '../data-source-client.js';
import { toldBy } from '../transaction-status.js';
import { HooksAttachment } from './hooks-attachment.js';
import { BulkWriteGuard } from '../criteria/bulk-write-guard.js';
import { CriteriaWrites } from '../criteria/criteria-writes.js';
import { WriteContext } from '../criteria/write-context.js';
import { interceptWrites } from '../criteria/write-builders.js';
import { ChangeCollector } from './change-collector.js';
import { dataSourceName } from '../errors.js';
import { EntityMessages } from '../../capture/messages/entity-messages.js';
import { affectingEntities } from '../entities/affecting-entities.js';
import { Connections } from '../connection/connection-state.js';
import {
  type CapturePlan,
  type EntityPlan,
  planCapture,
  splitByCapture,
} from '../entities/entity-plan.js';
import { checkOrphans } from '../entities/entity-checks.js';
import { linkChange } from '../entities/link-rows.js';
import { type RowEvent, ReportedRows } from './reported-rows.js';
import { RemovedLinks } from './removed-links.js';
import type { LinkChange } from '../../capture/changes/row-change.js';
import { entityRowKey, type AfterQueryEvent, type BeforeQueryEvent } from '../rows/columns.js';
import { hasRowLocks, isMySql } from '../rows/row-lock.js';
import { TransactionScopes } from './transaction-scopes.js';
import { TransactionsByHand } from './transactions-by-hand.js';

/** Options of the capture of one data source. */
export interface EntityCaptureOptions extends BulkSettings {
  readonly messageFactory: MessageFactory;
  readonly pipeline: MessagePipeline;
  /** Default true. */
  readonly serializeTransactions?: SerializeTransactions | undefined;
}

/**
 * Makes messages of the changes of one data source's entities: it collects changes while a transaction is open, stages
 * their messages before the commit, and releases them after it. It is a TypeORM subscriber of that data source.
 *
 * The events of writes outside of any transaction (`save(…, { transaction: false })`) are sent right after the write;
 * their messages cannot be atomic with the row. Writes in a transaction that was begun by hand are refused.
 *
 * TypeORM forgets its subscribers when a data source is destroyed and initialised again, without a notice: call
 * {@link reattach} then. Sending by hand calls it too.
 */
export class EntityCapture implements EntitySubscriberInterface<ObjectLiteral> {
  readonly #logger = new Logger('Thorn');
  readonly #collector: ChangeCollector;
  /** Makes this data source's messages. */
  readonly messages: EntityMessages;
  readonly #bulk: BulkWriteGuard;
  readonly #criteria: CriteriaWrites;
  readonly #rows: ReportedRows;
  readonly #removedLinks: RemovedLinks;
  readonly #plan: CapturePlan = { entities: new Map(), links: new Map() };
  #reported: CapturePlan = { entities: new Map(), links: new Map() };
  readonly #by: CaptureBy;
  readonly #pipeline: MessagePipeline;
  readonly #connections = new Connections();
  /** The entities whose writes may have events. A write of any other entity costs one look-up. */
  #affecting: ReadonlySet<EntityMetadata> = new Set();
  readonly #attachment: HooksAttachment;
  readonly #serialize: SerializeTransactions | undefined;
  readonly #isMysql: boolean;
  /** True if it leaves its data source as soon as no transaction is open. */
  #isLeaving = false;
  readonly dataSource: DataSource;
  /** Knows which callers are in a transaction of this data source. */
  readonly transactions: TransactionScopes;

  constructor(
    readonly client: DataSourceClient,
    { messageFactory, pipeline, serializeTransactions, ...bulk }: EntityCaptureOptions,
  ) {
    this.#by = bulk.capture ?? 'hooks';
    this.#pipeline = pipeline;
    const { dataSource } = client;
    this.dataSource = dataSource;
    this.#serialize = serializeTransactions;
    this.#isMysql = isMySql(dataSource);
    this.#attachment = new HooksAttachment(dataSource);
    this.transactions = new TransactionScopes(dataSource);
    this.messages = new EntityMessages(messageFactory, pipeline);
    const byHand = new TransactionsByHand(dataSource, this.transactions);
    this.#collector = new ChangeCollector(
      client,
      this.messages,
      pipeline,
      byHand,
      this.#connections,
    );
    this.#bulk = new BulkWriteGuard(bulk);
    const context = new WriteContext(
      client,
      this.#plan,
      this.#collector,
      this.#bulk,
      this.messages,
    );
    this.#criteria = new CriteriaWrites(context);
    this.#removedLinks = new RemovedLinks(context, this.#connections);
    this.#rows = new ReportedRows(
      context,
      this.#collector,
      this.#connections,
      // Transactions on SQLite run one after another, unless the application has switched that off.
      !hasRowLocks(dataSource) && serializeTransactions !== false,
    );
  }

  /** The entities with events in this data source. */
  get plans(): readonly EntityPlan[] {
    return [this.#plan, this.#reported].flatMap(({ entities }) => [...entities.values()]);
  }

  /** The events that triggers report, not hooks. */
  get reported(): CapturePlan {
    return this.#reported;
  }

  /** False where triggers report the changes of all entities: nothing of TypeORM is replaced, nor listened to for rows. */
  get hasHooks(): boolean {
    const isReported = this.#by === 'triggers' || this.#reported.entities.size > 0;
    return this.#plan.entities.size > 0 || !isReported;
  }

  /**
   * Starts to listen.
   *
   * @throws {@link ThornConfigurationError} when the data source is not initialised, or an event names a relation that
   *   its entity does not have, or is for rows that a relation may remove without reporting their class
   */
  attach(): void {
    this.#attachment.assertPossible();
    if (this.#isLeaving) this.#leave();
    if (this.#attachment.isWanted) return;
    const { hooks, triggers } = splitByCapture(planCapture(this.dataSource), this.#by);
    Object.assign(this.#plan, hooks);
    this.#reported = triggers;
    if (!this.hasHooks) return this.#attachToTransactions();
    checkOrphans(this.dataSource.entityMetadatas, this.#plan);
    this.client.attach(this.#serialize);
    const beforeHooks = [...this.#rows.beforeHooks(), ...this.#removedLinks.beforeHooks()];
    this.transactions.install();
    this.#affecting = affectingEntities(this.dataSource.entityMetadatas, this.#plan);
    const release = interceptWrites(this.dataSource, {
      ofSaves: this.#rows.interceptors,
      ofCriteria: this.#criteria,
      entities: this.#affecting,
    });
    const { transactions, dataSource } = this;
    const releaseClear = replaceMethods(dataSource, dataSource.manager, ['clear'], this.#clear);
    this.#attachment.add([this, transactions, this.#collector, ...beforeHooks], () => {
      release();
      releaseClear();
    });
  }

  /** Messages that are sent within a transaction wait for its end. */
  #attachToTransactions(): void {
    const ofTransactions: EntitySubscriberInterface = {
      beforeQuery: (event: BeforeQueryEvent) => this.beforeQuery(event),
      afterQuery: (event: AfterQueryEvent) => this.afterQuery(event),
      afterTransactionCommit: (event) => this.afterTransactionCommit(event),
      afterTransactionRollback: (event) => this.afterTransactionRollback(event),
    };
    const { transactions } = this;
    this.#attachment.add([ofTransactions, transactions, this.#collector], () => undefined);
  }

  /**
   * Listens again when the data source has been initialised anew since {@link attach}, and warns that nothing was sent
   * of what happened in between.
   */
  reattach(): void {
    if (!this.#attachment.isLost) return;
    this.#attachment.remove();
    this.attach();
    this.#logger.warn(
      `The data source ${dataSourceName(this.dataSource)} was initialised again, and no events were sent for changes ` +
        'between then and now. Changes from now on send events. Send the missing ones with ' +
        'dispatcher.sendFor(entity, { where }, event); to avoid this, close the application and create another one ' +
        'instead of initialising the data source again.',
    );
  }

  /** Stops to listen, as soon as no transaction is open: what those commit is sent. */
  detach(): void {
    if (this.dataSource.isInitialized && this.transactions.hasOpen) {
      this.#isLeaving = true;
    } else this.#leave();
  }

  #leave(): void {
    this.#isLeaving = false;
    this.transactions.uninstall();
    this.client.detach();
    this.#attachment.remove();
  }

  /** Tells whether commits are heard of: from the start of the application to its end. */
  get isAttached(): boolean {
    return this.#attachment.isWanted;
  }

  /** @returns false when the connection is in no transaction */
  enlist(message: Message, queryRunner: QueryRunner | undefined): boolean {
    this.reattach();
    return queryRunner !== undefined && this.#collector.enlist(queryRunner, message);
  }

  afterInsert(event: InsertEvent<ObjectLiteral>): Promise<void> | void {
    const plan = this.#plan.entities.get(event.metadata);
    if (plan === undefined)
      return this.#collectLinks(event, 'link', event.entityId ?? event.entity);
    if (this.#criteria.isUpserted(event.entity)) return;
    const row =
      event.entity === undefined && event.entityId !== undefined
        ? plan.metadata.ensureEntityIdMap(event.entityId)
        : event.entity;
    if (row === undefined || entityRowKey(plan.metadata, row) === undefined) {
      return this.#bulk.notice(plan, 'save({ reload: false })');
    }
    return this.#rows.collect(event, { plan, did: 'insert', row, old: undefined });
  }

  afterUpdate(event: UpdateEvent<ObjectLiteral>): Promise<void> | void {
    if (!this.#affecting.has(event.metadata)) return;
    const old = event.databaseEntity as ObjectLiteral | undefined;
    if (event.entity === undefined && old === undefined) return this.#rows.collectOtherSide(event);
    const plan = this.#plan.entities.get(event.metadata);
    if (plan === undefined) return;
    // Rows that refer to each other are inserted and then updated in one save: the insert says it all.
    if (old !== undefined) return this.#rows.collect(event, { plan, did: 'update', row: old, old });
  }

  afterRemove(event: RemoveEvent<ObjectLiteral>): Promise<void> | void {
    if (!this.#affecting.has(event.metadata)) return;
    const waits = this.#removedLinks
      .extract(event)
      .map((link) => this.#collector.collect(event, link));
    return this.#collectRemoved(event) ?? waits.find((wait) => wait !== undefined);
  }

  #collectRemoved(event: RemoveEvent<ObjectLiteral>): Promise<void> | void {
    // A junction table may be an entity's, too.
    return this.#plan.links.has(event.metadata) && !this.#plan.entities.has(event.metadata)
      ? this.#collectLinks(event, 'unlink', event.entityId as ObjectLiteral)
      : this.#rows.collectGone(event, 'remove');
  }

  afterSoftRemove(event: SoftRemoveEvent<ObjectLiteral>): Promise<void> | void {
    return this.#rows.collectGone(event, 'soft-remove');
  }

  afterRecover(event: RecoverEvent<ObjectLiteral>): Promise<void> | void {
    const plan = this.#plan.entities.get(event.metadata);
    if (plan === undefined) return;
    const old = event.databaseEntity as ObjectLiteral | undefined;
    if (old !== undefined)
      return this.#rows.collect(event, { plan, did: 'recover', row: old, old });
  }

  beforeQuery({ queryRunner }: BeforeQueryEvent): void {
    this.transactions.statement(queryRunner, true);
    this.#collector.statement(queryRunner);
  }

  afterQuery({ queryRunner, success, error, rawResults }: AfterQueryEvent): void {
    this.transactions.statement(queryRunner, false);
    // After a deadlock, MySQL and MariaDB roll the transaction back, and run later statements outside of it.
    if (!success && this.#isMysql && isConflict(error)) this.#collector.ended(queryRunner, error);
    const told = toldBy(rawResults);
    if (told !== undefined) this.#collector.told(queryRunner, told);
  }

  afterTransactionCommit({ queryRunner }: TransactionCommitEvent): void {
    if (!queryRunner.isTransactionActive) {
      this.#connections.of(queryRunner).forgetSave();
      // Triggers may have recorded the changes of this transaction.
      if (this.#reported.entities.size > 0) this.#pipeline.committed();
    }
    this.#end(queryRunner);
  }

  afterTransactionRollback({ queryRunner }: TransactionRollbackEvent): void {
    this.#connections.of(queryRunner).forgetSave();
    this.#end(queryRunner);
  }

  #end(queryRunner: QueryRunner): void {
    this.transactions.end(queryRunner);
    if (!this.#isLeaving) return;
    // After the hooks of other subscribers, because their list becomes shorter.
    setImmediate(() => {
      if (this.#isLeaving) this.detach();
    });
  }

  /** Notices `clear()` of a manager or a repository, which has no hook. */
  readonly #clear: Around<EntityManager, Promise<unknown>> = async ({ args, proceed }) => {
    const [target] = args as [EntityTarget<ObjectLiteral>];
    const { tablePath } = this.dataSource.getMetadata(target);
    const plan = this.plans.find(({ metadata }) => metadata.tablePath === tablePath);
    if (plan !== undefined) this.#bulk.notice(plan, 'clear');
    return proceed();
  };

  #collectLinks(
    event: RowEvent,
    did: LinkChange['did'],
    link: ObjectLiteral | undefined,
  ): Promise<void> | void {
    const plans = this.#plan.links.get(event.metadata);
    if (plans === undefined || link === undefined) return;
    const waits = plans.map((plan) => {
      const change = linkChange(plan, did, link);
      if (change === undefined || this.#removedLinks.includes(event.queryRunner, change)) return;
      return this.#collector.collect(event, change);
    });
    return waits.find((wait) => wait !== undefined);
  }
}
