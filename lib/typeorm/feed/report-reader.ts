import type { DataSource, EntityManager, EntityMetadata } from 'typeorm';
import type { EntityPlan } from '../entities/entity-plan.js';
import { type ChangeTable, namesOf, type TriggerReport } from './change-table.js';
import { type ReadReport, TriggerRows } from './trigger-rows.js';

/** Where reports are read, and the entities that they may be of. */
interface Source {
  readonly table: ChangeTable;
  readonly manager: EntityManager;
  readonly capture: { readonly dataSource: DataSource; readonly plans: readonly EntityPlan[] };
}

/** Reads what reports say, in their order, of rows with events. A row that came and went within a transaction is none. */
export async function readReports(
  reports: readonly TriggerReport[],
  source: Source,
): Promise<{ readonly read: readonly ReadReport[]; readonly unknown: readonly string[] }> {
  const byEntity = new Map<string, TriggerReport[]>();
  for (const report of reports) {
    const { entity, had_row, has_row } = report;
    const ofEntity = byEntity.get(entity) ?? [];
    byEntity.set(entity, ofEntity);
    if (had_row || has_row) ofEntity.push(report);
  }
  const { entityMetadatas } = source.capture.dataSource;
  const read: ReadReport[] = [];
  const unknown: string[] = [];
  for (const [entity, of] of byEntity) {
    const metadata =
      entityMetadatas.find((one) => namesOf(one)[0] === entity) ??
      entityMetadatas.find((one) => namesOf(one).includes(entity));
    if (metadata === undefined) unknown.push(entity);
    else read.push(...(await readEntity(metadata, of, source)));
  }
  read.sort((one, other) => Number(one.report.id) - Number(other.report.id));
  return { read, unknown };
}

async function readEntity(
  metadata: EntityMetadata,
  reports: readonly TriggerReport[],
  { table, manager, capture: { dataSource, plans } }: Source,
): Promise<readonly ReadReport[]> {
  const before = await table.rows(
    manager,
    metadata,
    'old_row',
    reports.flatMap((report) => [
      ...(report.had_row ? [report.id] : []),
      ...(hasLast(report) ? [report.last] : []),
    ]),
  );
  const after = await table.rows(
    manager,
    metadata,
    'new_row',
    reports.filter(({ has_row }) => has_row).map(({ last }) => last),
  );
  const kinds = new Map<EntityPlan, TriggerRows>();
  const read = reports.flatMap((report): ReadReport[] => {
    const [old, now] = [before.get(report.id), after.get(report.last)];
    const last = hasLast(report) ? before.get(report.last) : undefined;
    const plan = planOf(metadata, plans, now ?? old ?? {});
    if (plan === undefined) return [];
    const rows = kinds.get(plan) ?? new TriggerRows(dataSource, plan);
    kinds.set(plan, rows);
    const [was, atLast, is] = [old, last, now].map((row) => row && rows.rowOf(row));
    return [{ report, rows, old: was, last: atLast, now: is }];
  });
  for (const rows of kinds.values()) {
    const own = read.filter((one) => one.rows === rows);
    await rows.complete(
      own.flatMap(({ old, last, now }) => [old, last, now].filter((row) => row !== undefined)),
      manager,
    );
  }
  return read;
}

function hasLast({ id, last, had_row, has_row }: TriggerReport): boolean {
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
