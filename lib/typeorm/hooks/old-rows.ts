import type {
  EntityManager,
  EntitySubscriberInterface,
  ObjectLiteral,
  QueryRunner,
  RecoverEvent,
  RemoveEvent,
  SoftRemoveEvent,
  UpdateEvent,
} from 'typeorm';
import { dataSourceOf } from '../../common/typeorm-compat.js';
import { queryRunnerOf } from '../private-properties.js';
import { keyCondition } from '../criteria/matched-rows.js';
import type { Execute, WriteBuilder, WriteInterceptor } from '../criteria/write-builders.js';
import { besideColumns } from '../../capture/plan/row-paths.js';
import type {
  Connections,
  ConnectionState,
  ReadRow,
  RowsToRead,
} from '../connection/connection-state.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import type { EventPlan } from '../../capture/plan/event-plan.js';
import { entityRowKey, type Field } from '../rows/columns.js';
import { hasRowLocks } from '../rows/row-lock.js';
import { readRows } from '../rows/row-reader.js';

interface OnConnection {
  readonly queryRunner: QueryRunner;
  readonly manager: EntityManager;
}

/**
 * Reads rows as they are before a save updates or removes them, and locks them where the database can. TypeORM has
 * loaded its own old row before the transaction, and another transaction may have written the row since. The rows read
 * here have more fields than TypeORM's: the relations of a row that will be removed, and relations and unselected
 * columns that a transition compares.
 *
 * A save does not update a row that was not found here. Another transaction may insert a row with that key in between,
 * and no event would report its values.
 */
export class OldRows implements WriteInterceptor {
  constructor(private readonly connections: Connections) {}

  /**
   * Reads one row. All rows that one save asks for are read with one query per class.
   *
   * @param events the events whose relations and hidden columns are read as well
   */
  read(
    { queryRunner, manager }: OnConnection,
    plan: EntityPlan,
    { events, id, keepsKeys }: RowToRead,
  ): Promise<void> {
    const state = this.connections.of(queryRunner);
    state.reading ??= {
      plans: new Map(),
      done: Promise.resolve().then(() => fetchRows(state, manager)),
    };
    const { plans, done } = state.reading;
    const wanted = plans.get(plan) ?? { events: new Set(), ids: new Map(), keepsKeys: true };
    for (const event of events) wanted.events.add(event);
    wanted.ids.set(entityRowKey(plan.metadata, id)!, id);
    wanted.keepsKeys &&= keepsKeys;
    plans.set(plan, wanted);
    return done;
  }

  write(builder: WriteBuilder, execute: Execute): Promise<unknown> {
    const queryRunner = queryRunnerOf(builder);
    const { metadata } = builder.expressionMap.mainAlias!;
    if (queryRunner === undefined) return execute();
    const missing = this.connections.of(queryRunner).save.missing.get(metadata);
    if (!missing?.size) return execute();
    const rows = [...missing.values()];
    const { sql, parameters } = keyCondition(dataSourceOf(queryRunner), metadata, rows);
    const own = builder.clone() as WriteByIds;
    return execute(own.andWhere(`NOT (${sql})`, parameters));
  }

  /** The row as it was read, once: null when it was not there, undefined when it was not looked for. */
  extract(queryRunner: QueryRunner, plan: EntityPlan, key: string): ReadRow | null | undefined {
    const { save } = this.connections.of(queryRunner);
    const rows = save.rows.get(plan);
    const row = rows?.get(key);
    rows?.delete(key);
    if (row === null) save.missing.get(plan.metadata)?.delete(key);
    return row;
  }
}

async function fetchRows(state: ConnectionState, manager: EntityManager): Promise<void> {
  const { plans } = state.reading!;
  state.reading = undefined;
  const { save } = state;
  for (const [plan, wanted] of plans) {
    const known = save.rows.get(plan) ?? new Map<string, ReadRow | null>();
    save.rows.set(plan, known);
    const missing = save.missing.get(plan.metadata) ?? new Map<string, ObjectLiteral>();
    save.missing.set(plan.metadata, missing);
    for (const [key, row] of await readOldRows(manager, plan, wanted)) {
      known.set(key, row);
      if (row === null) missing.set(key, wanted.ids.get(key)!);
      else missing.delete(key);
    }
  }
}

/** The write of a save. */
type WriteByIds = WriteBuilder & {
  andWhere(sql: string, parameters: ObjectLiteral): WriteBuilder;
};

interface RowToRead {
  readonly events: readonly EventPlan[];
  readonly id: ObjectLiteral;
  readonly keepsKeys: boolean;
}

async function readOldRows(
  manager: EntityManager,
  { metadata, table: { single } }: EntityPlan,
  { events, ids, keepsKeys }: RowsToRead,
): Promise<Map<string, ReadRow | null>> {
  const { joins, hidden } = besideColumns([...events]);
  const wanted = { metadata, single, ids: [...ids.values()], joins, hidden };
  // With joins, a lock would also lock the joined rows. Two reads are needed: a second read alone could find a row that
  // is not locked.
  const isLockedFirst = joins.length > 0 && hasRowLocks(dataSourceOf(manager));
  if (isLockedFirst) {
    const locked = await readRows(manager, { ...wanted, joins: [], hidden: [] }, { keepsKeys });
    wanted.ids = [...locked.values()];
  }
  const rows = await readRows(manager, wanted, isLockedFirst ? undefined : { keepsKeys });
  const read = new Map<string, ReadRow | null>();
  const isComplete = joins.length + hidden.length > 0;
  for (const [key, row] of rows) read.set(key, { row, isComplete });
  // The database may answer a key in another form than it was given.
  const areAllAskedFor = [...rows.keys()].every((key) => ids.has(key));
  if (areAllAskedFor) {
    for (const key of ids.keys()) if (!rows.has(key)) read.set(key, null);
  }
  return read;
}

/** The facts about an entity's rows that are known before a write without reading them. */
interface KnownRows {
  /** True if no other connection can write a row between TypeORM's read and the write. */
  readonly isCurrent: boolean;
  /**
   * False while no subscriber would get any event of the entity, whatever its rows contain. Then no old row is read.
   */
  readonly mayBeHeard: () => boolean;
}

/**
 * The before-hooks that one entity needs. They are registered for that entity alone, because TypeORM computes a whole
 * save again once any before-hook has run in it.
 *
 * @returns undefined when it needs none
 */
export function beforeHooks(
  plan: EntityPlan,
  oldRows: OldRows,
  { isCurrent, mayBeHeard }: KnownRows,
): EntitySubscriberInterface<ObjectLiteral> | undefined {
  const { metadata } = plan;
  const ofChange = plan.events.filter(({ readsBefore }) => readsBefore);
  const isUpdateRead = !isCurrent && plan.events.some(({ options: { on } }) => on === 'change');
  const deletions = plan.events.filter(({ options: { on } }) => on === 'delete');
  const ofDelete = deletions.filter(({ needsRow, readsBefore }) => needsRow || readsBefore);
  const incomplete = ofDelete.some(({ joins, hidden }) => joins.length + hidden.length > 0);

  const hooks: EntitySubscriberInterface<ObjectLiteral> = {};
  const read = (event: OnConnection, row: RowToRead): Promise<void> | undefined =>
    mayBeHeard() ? oldRows.read(event, plan, row) : undefined;
  const readOld = (event: UpdateEvent<ObjectLiteral> | RecoverEvent<ObjectLiteral>) => {
    const old = event.databaseEntity as ObjectLiteral | undefined;
    if (event.metadata !== metadata || old === undefined) return;
    const id = metadata.getEntityIdMap(old)!;
    return read(event, { events: ofChange, id, keepsKeys: true });
  };
  if (ofChange.length > 0 || isUpdateRead) {
    hooks.beforeUpdate = (event) => (mayChange(plan, event) ? readOld(event) : undefined);
  }
  if (deletions.length > 0) {
    hooks.beforeRemove = (event: RemoveEvent<ObjectLiteral>) => {
      const old = event.databaseEntity as ObjectLiteral | undefined;
      if (event.metadata !== metadata || (old === undefined && event.entityId === undefined))
        return;
      if (old !== undefined && !incomplete && isCurrent) return;
      const id = metadata.getEntityIdMap(old ?? metadata.ensureEntityIdMap(event.entityId));
      if (id === undefined) return;
      return read(event, { events: ofDelete, id, keepsKeys: false });
    };
  }
  // Without its date, the row that TypeORM has loaded does not tell whether it is removed.
  const isHidden = metadata.deleteDateColumn?.isSelect === false && ofChange.length > 0;
  if (isHidden || mayBeOrphaned(plan) || (!isCurrent && seesSoftRemoval(plan, 'delete'))) {
    hooks.beforeSoftRemove = (event: SoftRemoveEvent<ObjectLiteral>) => {
      const old = (event.databaseEntity as ObjectLiteral | undefined) ?? event.entityId;
      if (event.metadata !== metadata || old === undefined) return;
      if (event.entity !== undefined && isCurrent && !isHidden) return;
      const id = metadata.ensureEntityIdMap(old);
      return read(event, { events: isHidden ? ofChange : [], id, keepsKeys: true });
    };
  }
  if (isHidden || (!isCurrent && seesSoftRemoval(plan, 'create'))) hooks.beforeRecover = readOld;
  return Object.keys(hooks).length === 0
    ? undefined
    : { listenTo: () => metadata.target, ...hooks };
}

/** True if an update sets something that an event reacts to. */
function mayChange(
  { events, table }: EntityPlan,
  { updatedColumns, updatedRelations }: UpdateEvent<ObjectLiteral>,
): boolean {
  const updated: readonly Field[] = [...updatedColumns, ...updatedRelations];
  return events.some(
    ({ options: { on }, watched }) =>
      on === 'change' &&
      (watched === undefined || updated.some((field) => watched.has(table.field(field)))),
  );
}

/** True if an event reacts to soft removal or recovery of rows. */
function seesSoftRemoval({ metadata, events }: EntityPlan, on: 'create' | 'delete'): boolean {
  return (
    metadata.deleteDateColumn !== undefined &&
    events.some(({ options }) => options.on === on && options.softRemoval !== false)
  );
}

/** True if a save may softly remove rows that it has not loaded: rows that a one-to-many relation has lost. */
function mayBeOrphaned(plan: EntityPlan): boolean {
  return (
    plan.metadata.relations.some(({ orphanedRowAction }) => orphanedRowAction === 'soft-delete') &&
    seesSoftRemoval(plan, 'delete')
  );
}
