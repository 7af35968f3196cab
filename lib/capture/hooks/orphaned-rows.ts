import type {
  EntityMetadata,
  EntitySubscriberInterface,
  ObjectLiteral,
  QueryRunner,
  RemoveEvent,
  SoftRemoveEvent,
} from 'typeorm';
import type { CapturePlan, EntityPlan } from '../plan/entity-plan.js';
import { rowKey } from '../rows/row-key.js';
import type { OldRows } from './old-rows.js';

type Removal = RemoveEvent<ObjectLiteral> | SoftRemoveEvent<ObjectLiteral>;

/** A row that a relation has lost, as it was before. */
interface OrphanedRow {
  readonly row: ObjectLiteral;
  /** The events of its class; undefined when it has none. */
  readonly plan: EntityPlan | undefined;
}

/**
 * Rows that a save removes because a one-to-many relation has lost them (`orphanedRowAction`), where subclasses share a
 * table: TypeORM's hook of such a removal tells the class of the relation, and not that of the row.
 */
export class OrphanedRows {
  readonly #read = new WeakMap<QueryRunner, Map<string, OrphanedRow>>();

  constructor(private readonly oldRows: OldRows) {}

  /** @returns the hooks of the classes whose orphans may be of another class with events for it */
  hooks(
    all: readonly EntityMetadata[],
    { entities }: CapturePlan,
  ): EntitySubscriberInterface<ObjectLiteral>[] {
    return all
      .filter(
        ({ childEntityMetadatas, relations }) =>
          relations.some(({ orphanedRowAction }) => /delete/.test(orphanedRowAction ?? '')) &&
          childEntityMetadatas.some((child) => isConcerned(entities.get(child))),
      )
      .map((metadata) => {
        // The class of each row is to be read: no events of this one.
        const base: EntityPlan = { metadata, events: [], readBack: undefined, changeable: [] };
        const read = (event: Removal): Promise<void> | void => {
          if (event.metadata === metadata && isOrphan(event)) {
            return this.#readRow(event, base, entities);
          }
        };
        return { listenTo: () => metadata.target, beforeRemove: read, beforeSoftRemove: read };
      });
  }

  /** The row that a hook of a removal is about, once; undefined when its event is about a row of the class that it tells. */
  extract(event: Removal): OrphanedRow | undefined {
    const rows = this.#read.get(event.queryRunner);
    if (rows === undefined || !isOrphan(event)) return undefined;
    const place = placeOf(event);
    const row = rows.get(place);
    rows.delete(place);
    return row;
  }

  /** The transaction has ended. */
  forget(queryRunner: QueryRunner): void {
    this.#read.delete(queryRunner);
  }

  async #readRow(
    event: Removal,
    base: EntityPlan,
    entities: CapturePlan['entities'],
  ): Promise<void> {
    const { queryRunner, metadata } = event;
    const id = metadata.ensureEntityIdMap(event.entityId);
    const keepsKeys = metadata.deleteDateColumn !== undefined;
    await this.oldRows.read(event, base, { events: [], id, keepsKeys });
    const row = this.oldRows.extract(queryRunner, base, rowKey(metadata, id)!)?.row;
    if (row === undefined) return;
    const type = metadata.childEntityMetadatas.find(({ target }) => target === row.constructor);
    const plan = entities.get(type ?? metadata);
    const rows = this.#read.get(queryRunner) ?? new Map<string, OrphanedRow>();
    this.#read.set(queryRunner, rows.set(placeOf(event), { row, plan }));
    const events = plan?.events.filter(
      ({ options, needsRow, joins, hidden }) =>
        options.on === 'delete' && needsRow && joins.length + hidden.length > 0,
    );
    if (plan && events && events.length > 0) {
      await this.oldRows.read(event, plan, { events, id, keepsKeys });
    }
  }
}

function isConcerned(plan: EntityPlan | undefined): boolean {
  return plan?.events.some(({ options }) => options.on === 'delete') === true;
}

function isOrphan({ entity, databaseEntity, entityId }: Removal): boolean {
  return (
    entity === undefined && (databaseEntity as unknown) === undefined && entityId !== undefined
  );
}

function placeOf({ metadata, entityId }: Removal): string {
  return `${metadata.tablePath} ${rowKey(metadata, metadata.ensureEntityIdMap(entityId))}`;
}
