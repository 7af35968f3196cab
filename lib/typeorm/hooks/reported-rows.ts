import type {
  EntityManager,
  EntityMetadata,
  EntitySubscriberInterface,
  ObjectLiteral,
  QueryRunner,
  RemoveEvent,
  SoftRemoveEvent,
  UpdateEvent,
} from 'typeorm';
import { RowChange } from '../../capture/changes/row-change.js';
import type { SaveInterceptors } from '../criteria/write-builders.js';
import type { WriteContext } from '../criteria/write-context.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import { entityRowKey } from '../rows/columns.js';
import type { ChangeCollector } from './change-collector.js';
import { KeptRows } from './kept-rows.js';
import { beforeHooks, OldRows } from './old-rows.js';
import { OtherSideWrites, withOtherSide } from './other-side-writes.js';
import type { Connections, OtherSideWrite, ReadRow } from '../connection/connection-state.js';
import { changedValues, removalOf } from '../rows/entity-values.js';
import { insertedRow } from '../rows/read-back.js';
import { supplied, withoutEmptyLinks } from '../../capture/table/row-copy.js';

/** The event of a hook about a row. */
export type RowEvent = {
  readonly queryRunner: QueryRunner;
  readonly manager: EntityManager;
  readonly metadata: EntityMetadata;
} & Partial<UpdateEvent<ObjectLiteral>>;

/** The report of a hook about one row. */
interface Report {
  readonly plan: EntityPlan;
  readonly did: RowChange['did'];
  readonly row: ObjectLiteral;
  /** The row before, as TypeORM has loaded it. */
  readonly old: ObjectLiteral | undefined;
  readonly otherSide?: OtherSideWrite | undefined;
}

/** Collects what hooks report of rows, with the rows as they were before. */
export class ReportedRows {
  readonly #oldRows: OldRows;
  readonly #otherSide: OtherSideWrites;
  readonly #kept: KeptRows;

  /** @param writesAlone true if no other connection can write a row between TypeORM's read for a save and the write */
  constructor(
    private readonly context: WriteContext,
    private readonly collector: Pick<ChangeCollector, 'collect' | 'noteUnseen'>,
    connections: Connections,
    private readonly writesAlone: boolean,
  ) {
    this.#oldRows = new OldRows(connections);
    this.#otherSide = new OtherSideWrites(context.plan, connections);
    this.#kept = new KeptRows(context, connections);
  }

  /** Notice the writes of a save that hooks do not tell in full. */
  get interceptors(): SaveInterceptors {
    const [oldRows, otherSide, kept] = [this.#oldRows, this.#otherSide, this.#kept];
    return { update: [oldRows, otherSide], delete: [oldRows, kept], softDelete: [oldRows] };
  }

  /** The hooks that read rows before a write. */
  beforeHooks(): readonly EntitySubscriberInterface<ObjectLiteral>[] {
    const { plan } = this.context;
    const ofEntities = [...plan.entities.values()].map((entity) =>
      beforeHooks(entity, this.#oldRows, {
        isCurrent: this.writesAlone,
        mayBeHeard: () => this.context.mayBeHeardBySave(entity),
      }),
    );
    return ofEntities.filter((one) => one !== undefined);
  }

  collect(event: RowEvent, report: Report): Promise<void> | void {
    const { plan, did, row, old } = report;
    const key = entityRowKey(plan.metadata, row)!;
    const read = this.#readBefore(event, report, key);
    // It was gone already, and the write has hit nothing.
    if (read === null) return;
    let { otherSide } = report;
    const isCurrent =
      did === 'insert' || this.writesAlone || (read !== undefined && otherSide === undefined);
    if (did === 'update' && !isCurrent) this.collector.noteUnseen(event.queryRunner, plan);
    const change = createRowChange(event, { did, plan, key, row, old, read, isCurrent });
    if (did === 'update') otherSide ??= this.#otherSide.extract(event.queryRunner, plan, key);
    return this.collector.collect(
      event,
      otherSide === undefined ? change : withOtherSide(change, plan, otherSide),
    );
  }

  /**
   * Collects the rows that a save has written from the other side of a relation, where the hook does not say which row
   * it was.
   */
  async collectOtherSide(event: UpdateEvent<ObjectLiteral>): Promise<void> {
    const otherSide = await this.#otherSide.extractNext(event);
    const { plan, old } = otherSide ?? {};
    if (plan === undefined) return;
    await this.collect(event, { plan, did: 'update', row: old!, old, otherSide });
  }

  collectGone(
    event: RemoveEvent<ObjectLiteral> | SoftRemoveEvent<ObjectLiteral>,
    did: 'remove' | 'soft-remove',
  ): Promise<void> | void {
    const plan = this.context.plan.entities.get(event.metadata);
    if (plan === undefined) return;
    const old = event.databaseEntity as ObjectLiteral | undefined;
    if (old === undefined && event.entityId === undefined) return;
    const row = old ?? plan.metadata.ensureEntityIdMap(event.entityId);
    return this.collect(event, { plan, did, row, old });
  }

  /** The row before as it was read for its events: null when it was not there, undefined when it was not looked for. */
  #readBefore(
    { queryRunner }: RowEvent,
    { did, plan, otherSide }: Report,
    key: string,
  ): ReadRow | null | undefined {
    if (did === 'insert') return undefined;
    if (otherSide !== undefined) {
      return otherSide.whole && { row: otherSide.whole, isComplete: true };
    }
    return this.#oldRows.extract(queryRunner, plan, key);
  }
}

/** The row that a hook reports. */
interface ReportedRow {
  readonly did: RowChange['did'];
  readonly plan: EntityPlan;
  readonly key: string;
  readonly row: ObjectLiteral;
  /** The row before, as TypeORM has loaded it. */
  readonly old: ObjectLiteral | undefined;
  /** The row before as it was read for its events. */
  readonly read: ReadRow | undefined;
  /** False if an inserted entity may differ from its row in the database. */
  readonly isCurrent: boolean;
}

/** Creates the change of a row from the event of a hook. */
function createRowChange(
  event: Pick<UpdateEvent<ObjectLiteral>, 'queryRunner'> & Partial<UpdateEvent<ObjectLiteral>>,
  { did, plan, key, row, old, read, isCurrent }: ReportedRow,
): RowChange {
  const values =
    did === 'update' ? changedValues(event) : did === 'insert' ? removalOf(plan.metadata, row) : [];
  const { table } = plan;
  const changed = table.values(values);
  const known = old && withoutEmptyLinks(old, table);
  const fields = changed.map(({ of }) => of);
  return new RowChange({
    did,
    plan,
    key,
    // No other object holds the old row; an entity may change until the commit.
    id: old ?? plan.metadata.getEntityIdMap(row)!,
    before: read && known ? supplied(read.row, known, fields, table) : (read?.row ?? known),
    after: did === 'insert' && isCurrent ? insertedRow(event, plan.readBack) : undefined,
    isComplete: read?.isComplete === true,
    changed,
  });
}
