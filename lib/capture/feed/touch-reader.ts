import type { DataSource, EntityManager, EntityMetadata } from 'typeorm';
import type { EntityPlan } from '../plan/entity-plan.js';
import { type ChangeTable, namesOf, type Touch } from './change-table.js';
import { type Touched, TouchedRows } from './touched-rows.js';

/** Where touches are read, and the entities that they may be of. */
interface Source {
  readonly table: ChangeTable;
  readonly manager: EntityManager;
  readonly capture: { readonly dataSource: DataSource; readonly plans: readonly EntityPlan[] };
}

/** Reads what touches say, in their order, of rows with events. A row that came and went within a transaction is none. */
export async function readTouches(
  touches: readonly Touch[],
  source: Source,
): Promise<{ readonly touched: readonly Touched[]; readonly unknown: readonly string[] }> {
  const byEntity = new Map<string, Touch[]>();
  for (const touch of touches) {
    const { entity, had_row, has_row } = touch;
    const ofEntity = byEntity.get(entity) ?? [];
    byEntity.set(entity, ofEntity);
    if (had_row || has_row) ofEntity.push(touch);
  }
  const { entityMetadatas } = source.capture.dataSource;
  const touched: Touched[] = [];
  const unknown: string[] = [];
  for (const [entity, of] of byEntity) {
    const metadata =
      entityMetadatas.find((one) => namesOf(one)[0] === entity) ??
      entityMetadatas.find((one) => namesOf(one).includes(entity));
    if (metadata === undefined) unknown.push(entity);
    else touched.push(...(await readEntity(metadata, of, source)));
  }
  touched.sort((one, other) => Number(one.touch.id) - Number(other.touch.id));
  return { touched, unknown };
}

async function readEntity(
  metadata: EntityMetadata,
  touches: readonly Touch[],
  { table, manager, capture: { dataSource, plans } }: Source,
): Promise<readonly Touched[]> {
  const before = await table.rows(
    manager,
    metadata,
    'old_row',
    touches.flatMap((touch) => [
      ...(touch.had_row ? [touch.id] : []),
      ...(hasLast(touch) ? [touch.last] : []),
    ]),
  );
  const after = await table.rows(
    manager,
    metadata,
    'new_row',
    touches.filter(({ has_row }) => has_row).map(({ last }) => last),
  );
  const kinds = new Map<EntityPlan, TouchedRows>();
  const touched = touches.flatMap((touch): Touched[] => {
    const [old, now] = [before.get(touch.id), after.get(touch.last)];
    const last = hasLast(touch) ? before.get(touch.last) : undefined;
    const plan = planOf(metadata, plans, now ?? old ?? {});
    if (plan === undefined) return [];
    const rows = kinds.get(plan) ?? new TouchedRows(dataSource, plan);
    kinds.set(plan, rows);
    const [was, atLast, is] = [old, last, now].map((row) => row && rows.rowOf(row));
    return [{ touch, rows, old: was, last: atLast, now: is }];
  });
  for (const rows of kinds.values()) {
    const own = touched.filter((one) => one.rows === rows);
    await rows.complete(
      own.flatMap(({ old, last, now }) => [old, last, now].filter((row) => row !== undefined)),
      manager,
    );
  }
  return touched;
}

function hasLast({ id, last, had_row, has_row }: Touch): boolean {
  return had_row && !has_row && last !== id;
}

/** The events of a row: in a table with several classes its discriminator tells. Undefined when it has none. */
function planOf(
  metadata: EntityMetadata,
  plans: readonly EntityPlan[],
  raw: Readonly<Record<string, unknown>>,
): EntityPlan | undefined {
  const { discriminatorColumn } = metadata;
  const value = discriminatorColumn && raw[discriminatorColumn.databaseName];
  const own =
    discriminatorColumn === undefined
      ? metadata
      : [metadata, ...metadata.childEntityMetadatas].find(
          ({ discriminatorValue }) => String(discriminatorValue) === String(value),
        );
  return plans.find((plan) => plan.metadata === own);
}
