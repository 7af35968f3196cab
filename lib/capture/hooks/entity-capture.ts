import { Logger } from '@nestjs/common';
import type {
  DataSource,
  EntityManager,
  EntityMetadata,
  EntitySubscriberInterface,
  InsertEvent,
  ObjectLiteral,
  QueryRunner,
  RecoverEvent,
  RemoveEvent,
  SoftRemoveEvent,
  TransactionCommitEvent,
  TransactionRollbackEvent,
  TransactionStartEvent,
  UpdateEvent,
} from 'typeorm';
import type { Message } from '../../message/index.js';
import { type SerializeTransactions, SqliteTransactions } from '../../sqlite/index.js';
import { HooksAttachment } from './hooks-attachment.js';
import { createRowChange } from './create-row-change.js';
import { BulkWriteGuard } from '../criteria/bulk-write-guard.js';
import { CriteriaWrites } from '../criteria/criteria-writes.js';
import { WriteContext } from '../criteria/write-context.js';
import { interceptWrites } from '../criteria/write-builders.js';
import { ChangeCollector } from './change-collector.js';
import type { EntityCaptureOptions } from './entity-capture-options.js';
import { dataSourceName } from '../rows/data-source-name.js';
import { EntityMessages } from '../messages/entity-messages.js';
import { affectingEntities } from '../plan/affecting-entities.js';
import { type CapturePlan, type EntityPlan, planCapture } from '../plan/entity-plan.js';
import { ClearStatements } from '../rows/write-statements.js';
import { linkChange } from '../changes/link-change.js';
import { beforeHooks, OldRows, type ReadRow } from './old-rows.js';
import { type OtherSideWrite, OtherSideWrites, withOtherSide } from './other-side-writes.js';
import { OrphanedRows } from './orphaned-rows.js';
import { Removals } from '../cascades/removals.js';
import type { LinkChange, RowChange } from '../changes/row-change.js';
import { rowKey } from '../rows/row-key.js';
import { TransactionScopes } from './transaction-scopes.js';
import { TransactionsByHand } from './transactions-by-hand.js';
import { returnsUpdates, UpdatedRows } from './updated-rows.js';
import type { BeforeQueryEvent } from '../rows/typeorm-types.js';

type RowEvent = {
  readonly queryRunner: QueryRunner;
  readonly manager: EntityManager;
  readonly metadata: EntityMetadata;
};

interface OfOtherSide {
  readonly otherSide: OtherSideWrite | undefined;
}

/**
 * Makes messages of what happens to the entities of one data source: collects changes while a transaction is open,
 * stages their messages before it commits and releases them after. The TypeORM subscriber of that data source.
 *
 * Writes outside of any transaction (`save(…, { transaction: false })`) are sent right after; their messages cannot be
 * atomic with the row. Those in a transaction that was begun by hand are staged in it, each by itself.
 *
 * TypeORM forgets its subscribers when a data source is destroyed and initialised again, without a notice: call
 * {@link reattach} then. Sending by hand calls it too.
 */
export class EntityCapture implements EntitySubscriberInterface<ObjectLiteral> {
  readonly #logger = new Logger('Thorn');
  readonly #oldRows = new OldRows();
  readonly #orphans = new OrphanedRows(this.#oldRows);
  readonly #collector: ChangeCollector;
  /** Makes this data source's messages. */
  readonly messages: EntityMessages;
  readonly #bulk: BulkWriteGuard;
  readonly #criteria: CriteriaWrites;
  readonly #updated: UpdatedRows;
  readonly #removals: Removals;
  readonly #otherSide = new OtherSideWrites(() => this.#plan);
  #plan: CapturePlan = { entities: new Map(), links: new Map() };
  /** The entities whose writes may have events: those of all others pass at the cost of one look-up. */
  #affecting: ReadonlySet<EntityMetadata> = new Set();
  #clears: ClearStatements | undefined;
  /** True if nobody else can write a row between TypeORM's reading it for a save and the write. */
  #takesTurns = false;
  readonly #attachment: HooksAttachment;
  readonly #serialize: SerializeTransactions | undefined;
  /** Knows who is in a transaction of this data source. */
  readonly transactions: TransactionScopes;

  constructor(
    readonly dataSource: DataSource,
    {
      messageFactory,
      pipeline,
      serializeTransactions,
      otherReports,
      ...bulk
    }: EntityCaptureOptions,
  ) {
    this.#serialize = serializeTransactions;
    this.#attachment = new HooksAttachment(dataSource);
    this.transactions = new TransactionScopes(dataSource);
    this.messages = new EntityMessages(messageFactory, pipeline);
    const byHand = new TransactionsByHand(dataSource, this, {
      release: (messages) => this.#collector.release(messages),
      savepoint: (queryRunner, control) => {
        if (control.does === 'rollback to') this.#forget(queryRunner);
        this.#collector.savepoint(queryRunner, control);
      },
      failed: (queryRunner) => this.#collector.failed(queryRunner),
    });
    const others = otherReports?.(this);
    this.#collector = new ChangeCollector(
      this.messages,
      pipeline,
      byHand,
      this.transactions,
      others,
    );
    this.#bulk = new BulkWriteGuard(bulk);
    this.#removals = new Removals(this.#bulk);
    const planOf = () => this.#plan;
    const context = new WriteContext(
      dataSource,
      planOf,
      this.#collector,
      this.#bulk,
      this.#removals,
    );
    this.#criteria = new CriteriaWrites(context);
    this.#updated = new UpdatedRows(
      dataSource,
      planOf,
      this.#oldRows,
      context.rules,
      this.messages,
    );
  }

  /** The entities with events in this data source. */
  get plans(): readonly EntityPlan[] {
    return [...this.#plan.entities.values()];
  }

  /**
   * Starts to listen.
   *
   * @throws {@link ThornConfigurationError} when the data source is not initialised, or an event names a relation that
   *   its entity does not have
   */
  attach(): void {
    this.#attachment.assertPossible();
    if (this.#attachment.isWanted) return;
    this.#plan = planCapture(this.dataSource);
    SqliteTransactions.install(this.dataSource, this.#serialize);
    this.#takesTurns = SqliteTransactions.of(this.dataSource)?.isSerial === true;
    const ofEntities = this.plans.map((plan) =>
      beforeHooks(plan, this.#oldRows, {
        isCurrent: this.#takesTurns,
        returnsUpdates: returnsUpdates(this.dataSource, plan),
      }),
    );
    this.transactions.install();
    const ofRemovals = this.#removals.plan(this.dataSource, this.#plan);
    const ofOrphans = this.#orphans.hooks(this.dataSource.entityMetadatas, this.#plan);
    this.#affecting = affectingEntities(this.dataSource.entityMetadatas, this.#plan, (metadata) =>
      this.#removals.affectsOthers(metadata),
    );
    this.#clears = new ClearStatements(this.dataSource, [...this.#plan.entities.keys()]);
    const release = interceptWrites(this.dataSource, {
      interceptors: [this.#updated, this.#criteria, this.#otherSide],
      entities: this.#affecting,
    });
    const hooks = [...ofEntities.filter((one) => one !== undefined), ...ofOrphans, ...ofRemovals];
    this.#attachment.add([this, ...hooks], release);
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
      `The data source ${dataSourceName(this.dataSource)} was initialised again, and its changes since then were not ` +
        'captured; they are from now on. Close the application and create it anew instead, or send what is missing ' +
        'with dispatcher.sendFor(entity, { where }, event).',
    );
  }

  /** Stops to listen. What was collected in transactions that are still open is not sent. */
  detach(): void {
    this.transactions.uninstall();
    SqliteTransactions.uninstall(this.dataSource);
    this.#attachment.remove();
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
    if (row === undefined || rowKey(plan.metadata, row) === undefined) {
      return this.#bulk.notice(plan, 'save({ reload: false })');
    }
    return this.#collectRow(event, plan, 'insert', row, undefined);
  }

  afterUpdate(event: UpdateEvent<ObjectLiteral>): Promise<void> | void {
    if (!this.#affecting.has(event.metadata)) return;
    const old = event.databaseEntity as ObjectLiteral | undefined;
    if (event.entity === undefined && old === undefined) return this.#collectOtherSide(event);
    const plan = this.#plan.entities.get(event.metadata);
    if (plan === undefined) return;
    if (old !== undefined) return this.#collectRow(event, plan, 'update', old, old);
    // Rows that refer to each other are inserted and then updated in one save: the insert says it all.
    if (event.updatedColumns.length > 0 || event.updatedRelations.length > 0) return;
    // A child that its parent releases; an update by criteria tells the values that it sets.
    if (event.entity === undefined) this.#bulk.notice(plan, 'update');
  }

  afterRemove(event: RemoveEvent<ObjectLiteral>): Promise<void> | void {
    if (!this.#affecting.has(event.metadata)) return;
    const caused = this.#removals
      .extract(event)
      .map((item) => this.#collector.collect(event, item));
    return this.#collectRemoved(event) ?? caused.find((wait) => wait !== undefined);
  }

  #collectRemoved(event: RemoveEvent<ObjectLiteral>): Promise<void> | void {
    // A junction table may be an entity's, too.
    return this.#plan.links.has(event.metadata) && !this.#plan.entities.has(event.metadata)
      ? this.#collectLinks(event, 'unlink', event.entityId as ObjectLiteral)
      : this.#collectGone(event, 'remove');
  }

  afterSoftRemove(event: SoftRemoveEvent<ObjectLiteral>): Promise<void> | void {
    return this.#collectGone(event, 'soft-remove');
  }

  #collectGone(
    event: SoftRemoveEvent<ObjectLiteral>,
    did: 'remove' | 'soft-remove',
  ): Promise<void> | void {
    const orphan = this.#orphans.extract(event);
    const plan = orphan === undefined ? this.#plan.entities.get(event.metadata) : orphan.plan;
    if (plan === undefined) return;
    const loaded = event.databaseEntity as ObjectLiteral | undefined;
    const old = orphan?.row ?? loaded;
    if (old === undefined && event.entityId === undefined) return;
    const id = old ?? plan.metadata.ensureEntityIdMap(event.entityId);
    return this.#collectRow(event, plan, did, id, old);
  }

  afterRecover(event: RecoverEvent<ObjectLiteral>): Promise<void> | void {
    const plan = this.#plan.entities.get(event.metadata);
    if (plan === undefined) return;
    const old = event.databaseEntity as ObjectLiteral | undefined;
    if (old !== undefined) return this.#collectRow(event, plan, 'recover', old, old);
  }

  /** Counts statements, and notices `clear()`, which has no hook. */
  beforeQuery({ query, queryRunner }: BeforeQueryEvent): void {
    this.#collector.statement(queryRunner, query);
    const cleared = this.#clears?.entityOf(query);
    if (cleared === undefined || this.#criteria.isEmptying) return;
    this.#bulk.notice(this.#plan.entities.get(cleared)!, 'clear');
  }

  afterTransactionStart({ queryRunner }: TransactionStartEvent): void {
    this.transactions.begin(queryRunner);
    this.#collector.begin(queryRunner);
  }

  beforeTransactionCommit(event: TransactionCommitEvent): Promise<void> | void {
    return this.#collector.beforeCommit(event);
  }

  afterTransactionCommit(event: TransactionCommitEvent): Promise<void> | void {
    if (!event.queryRunner.isTransactionActive) this.#forget(event.queryRunner);
    this.transactions.end(event.queryRunner);
    return this.#collector.afterCommit(event);
  }

  afterTransactionRollback({ queryRunner }: TransactionRollbackEvent): void {
    this.#forget(queryRunner);
    this.transactions.end(queryRunner);
    this.#collector.afterRollback(queryRunner);
  }

  #forget(queryRunner: QueryRunner): void {
    this.#oldRows.forget(queryRunner);
    this.#updated.forget(queryRunner);
    this.#otherSide.forget(queryRunner);
    this.#orphans.forget(queryRunner);
    this.#removals.forget(queryRunner);
  }

  #collectRow(
    event: RowEvent & Partial<UpdateEvent<ObjectLiteral>>,
    plan: EntityPlan,
    did: RowChange['did'],
    row: ObjectLiteral,
    old: ObjectLiteral | undefined,
    otherSide?: OtherSideWrite,
  ): Promise<void> | void {
    const key = rowKey(plan.metadata, row)!;
    const read = this.#readBefore(event, { did, plan, key, otherSide });
    // It was gone already, and the write has hit nothing.
    if (read === null) return;
    const isCurrent =
      did === 'insert'
        ? !this.#criteria.isMixedUp(event.entity)
        : this.#takesTurns || (read !== undefined && otherSide === undefined);
    if (did === 'update' && !isCurrent) this.#collector.doubt(event.queryRunner, plan);
    const change = createRowChange(event, { did, plan, key, row, old, read, isCurrent });
    if (did === 'update') otherSide ??= this.#otherSide.extract(event.queryRunner, plan, key);
    return this.#collector.collect(
      event,
      otherSide === undefined ? change : withOtherSide(change, otherSide),
    );
  }

  #readBefore(
    { queryRunner }: RowEvent,
    { did, plan, key, otherSide }: Pick<RowChange, 'did' | 'plan' | 'key'> & OfOtherSide,
  ): ReadRow | null | undefined {
    if (did === 'insert') return undefined;
    if (otherSide !== undefined) {
      return otherSide.whole && { row: otherSide.whole, isComplete: true };
    }
    const returned = did === 'update' ? this.#updated.extract(queryRunner, plan, key) : undefined;
    return returned === undefined ? this.#oldRows.extract(queryRunner, plan, key) : returned;
  }

  async #collectOtherSide(event: UpdateEvent<ObjectLiteral>): Promise<void> {
    const write = await this.#otherSide.extractNext(event);
    const { plan, old } = write ?? {};
    if (plan !== undefined) await this.#collectRow(event, plan, 'update', old!, old, write);
  }

  #collectLinks(
    event: RowEvent,
    did: LinkChange['did'],
    link: ObjectLiteral | undefined,
  ): Promise<void> | void {
    const plans = this.#plan.links.get(event.metadata);
    if (plans === undefined || link === undefined) return;
    const waits = plans.map((plan) => {
      const { inverseEntityMetadata: related } = plan.relation;
      const change = linkChange(plan, did, link, (key) =>
        did === 'unlink' ? this.#removals.removedRow(event.queryRunner, related, key) : undefined,
      );
      return change === undefined ? undefined : this.#collector.collect(event, change);
    });
    return waits.find((wait) => wait !== undefined);
  }
}
