import type {
  EntityManager,
  EntitySubscriberInterface,
  ObjectLiteral,
  QueryRunner,
  RemoveEvent,
  SoftRemoveEvent,
  UpdateEvent,
} from 'typeorm';
import { joinsOf } from '../plan/entity-paths.js';
import type { EntityPlan, EventPlan } from '../plan/entity-plan.js';
import { rowKey } from '../rows/row-key.js';
import { readRows } from '../rows/row-reader.js';

interface Reading {
  readonly plans: Map<EntityPlan, { readonly events: readonly EventPlan[]; ids: ObjectLiteral[] }>;
  readonly done: Promise<void>;
}

/**
 * Rows as they are before an update or a removal, for what TypeORM's own old row does not have: relations of a row that
 * is about to vanish, and what transitions read of a relation or of a column that is not selected.
 */
export class OldRows {
  readonly #read = new WeakMap<QueryRunner, Map<EntityPlan, Map<string, ObjectLiteral>>>();
  readonly #readings = new WeakMap<QueryRunner, Reading>();

  /** Reads one row; all that one save asks for are read in one query a class. */
  read(
    { queryRunner, manager }: { queryRunner: QueryRunner; manager: EntityManager },
    plan: EntityPlan,
    events: readonly EventPlan[],
    id: ObjectLiteral,
  ): Promise<void> {
    let reading = this.#readings.get(queryRunner);
    if (reading === undefined) {
      const plans: Reading['plans'] = new Map();
      reading = {
        plans,
        done: Promise.resolve().then(() => this.#fetch(queryRunner, manager, plans)),
      };
      this.#readings.set(queryRunner, reading);
    }
    const wanted = reading.plans.get(plan) ?? { events, ids: [] };
    wanted.ids.push(id);
    reading.plans.set(plan, wanted);
    return reading.done;
  }

  /** The row as it was read, once. */
  extract(queryRunner: QueryRunner, plan: EntityPlan, key: string): ObjectLiteral | undefined {
    const rows = this.#read.get(queryRunner)?.get(plan);
    const row = rows?.get(key);
    rows?.delete(key);
    return row;
  }

  /** The transaction has ended. */
  forget(queryRunner: QueryRunner): void {
    this.#read.delete(queryRunner);
  }

  async #fetch(
    queryRunner: QueryRunner,
    manager: EntityManager,
    plans: Reading['plans'],
  ): Promise<void> {
    this.#readings.delete(queryRunner);
    const read = this.#read.get(queryRunner) ?? new Map<EntityPlan, Map<string, ObjectLiteral>>();
    this.#read.set(queryRunner, read);
    for (const [plan, { events, ids }] of plans) {
      const rows = await readRows(manager, {
        metadata: plan.metadata,
        ids,
        joins: joinsOf(events.flatMap(({ joins }) => joins)),
        hidden: [...new Set(events.flatMap(({ hidden }) => hidden))],
      });
      read.set(plan, new Map([...(read.get(plan) ?? []), ...rows]));
    }
  }
}

/**
 * The before-hooks that one entity needs, on that entity alone: TypeORM computes a whole save anew once any before-hook
 * has run in it.
 *
 * @returns undefined when it needs none
 */
export function beforeHooks(
  plan: EntityPlan,
  oldRows: OldRows,
): EntitySubscriberInterface<ObjectLiteral> | undefined {
  const { metadata } = plan;
  const ofChange = plan.events.filter(({ readsBefore }) => readsBefore);
  const ofDelete = plan.events.filter(
    ({ needsRow, options }) => options.on === 'delete' && needsRow,
  );
  const incomplete = ofDelete.some(({ joins, hidden }) => joins.length + hidden.length > 0);
  const orphaned = mayBeOrphaned(plan);
  if (ofChange.length === 0 && ofDelete.length === 0 && !orphaned) return undefined;

  const hooks: EntitySubscriberInterface<ObjectLiteral> = { listenTo: () => metadata.target };
  if (ofChange.length > 0) {
    hooks.beforeUpdate = (event: UpdateEvent<ObjectLiteral>) => {
      const old = event.databaseEntity as ObjectLiteral | undefined;
      if (event.metadata !== metadata || old === undefined) return;
      return oldRows.read(event, plan, ofChange, metadata.getEntityIdMap(old)!);
    };
  }
  if (ofDelete.length > 0) {
    hooks.beforeRemove = (event: RemoveEvent<ObjectLiteral>) => {
      const old = event.databaseEntity as ObjectLiteral | undefined;
      if (event.metadata !== metadata || (old === undefined && event.entityId === undefined))
        return;
      if (old !== undefined && !incomplete) return;
      const id = old ?? metadata.ensureEntityIdMap(event.entityId);
      if (rowKey(metadata, id) === undefined) return;
      return oldRows.read(event, plan, ofDelete, metadata.getEntityIdMap(id)!);
    };
  }
  if (orphaned) {
    hooks.beforeSoftRemove = (event: SoftRemoveEvent<ObjectLiteral>) => {
      if (event.metadata !== metadata || event.entity !== undefined) return;
      if (event.entityId === undefined) return;
      return oldRows.read(event, plan, [], metadata.ensureEntityIdMap(event.entityId));
    };
  }
  return hooks;
}

/** True if a save may softly remove rows that it has not loaded: those that a one-to-many relation has lost. */
function mayBeOrphaned({ metadata, events }: EntityPlan): boolean {
  return (
    metadata.relations.some(({ orphanedRowAction }) => orphanedRowAction === 'soft-delete') &&
    events.some(({ options: { on, softRemoval } }) => on === 'delete' && softRemoval !== false)
  );
}
