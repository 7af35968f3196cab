import type { EntityManager, EntityMetadata } from 'typeorm';
import { isCertain, isHousekeeping } from '../changes/change-detection.js';
import type { CollectedItem } from '../changes/due-events.js';
import type { RowChange } from '../changes/row-change.js';
import type { OtherReports } from '../hooks/change-collector.js';
import type { CapturedEntities } from '../hooks/entity-capture-options.js';
import type { EntityPlan } from '../plan/entity-plan.js';
import type { ChangedValue } from '../rows/changed-values.js';
import { setValue } from '../rows/row-copy.js';
import { rowKey } from '../rows/row-key.js';
import type { RelationMetadata } from '../rows/typeorm-types.js';
import type { CapturedRow, ChangeTable } from './change-table.js';
import { readReports } from './report-reader.js';

/**
 * Brings together what the capture and what triggers say of the rows of a transaction. Where triggers say no more than the
 * capture, which is nearly always, their reports go; else they alone tell what became of the row.
 */
export class ReportReconciler implements OtherReports {
  constructor(
    private readonly table: ChangeTable,
    private readonly capture: CapturedEntities,
  ) {}

  async reconcile(manager: EntityManager, items: CollectedItem[]): Promise<CollectedItem[]> {
    const rows = changesByRow(items);
    if (rows.length === 0) return items;
    const kept = new KeptColumns();
    const { table, capture } = this;
    const differing = await table.removeCaptured(
      manager,
      rows.map((changes) => capturedRow(changes, kept)),
    );
    if (differing.size === 0) return items;
    const reports = [...differing.values()];
    const { read } = await readReports(reports, { table, manager, capture });
    await table.remove(manager, reports);
    const byReport = new Map(read.map((one) => [one.report, one]));
    const told = new Map<CollectedItem, readonly RowChange[]>();
    for (const [at, report] of differing) {
      const [first, ...others] = rows[at]!;
      const one = byReport.get(report);
      const changes = one === undefined ? [] : one.rows.changesOf(one);
      for (const change of changes) addKnownRelations(change, rows[at]!);
      told.set(first!, changes);
      for (const other of others) told.set(other, []);
    }
    return items.flatMap((item): readonly CollectedItem[] => told.get(item) ?? [item]);
  }

  reports(metadata: EntityMetadata): Promise<boolean> {
    return this.table.reports(metadata);
  }
}

function changesByRow(items: readonly CollectedItem[]): readonly (readonly RowChange[])[] {
  const plans = new Map<EntityPlan, Map<string, RowChange[]>>();
  for (const item of items) {
    if (item.type !== 'row') continue;
    const rows = plans.get(item.plan) ?? new Map<string, RowChange[]>();
    plans.set(item.plan, rows);
    const changes = rows.get(item.key);
    if (changes === undefined) rows.set(item.key, [item]);
    else changes.push(item);
  }
  return [...plans.values()].flatMap((rows) => [...rows.values()]);
}

/** Changes that are certain have a report each. Others may have one, which nothing tells from one that SQL by hand made. */
function capturedRow(changes: readonly RowChange[], kept: KeptColumns): CapturedRow {
  const { plan, id } = changes[0]!;
  const areCertain = changes.every(isCertain);
  return {
    plan,
    id,
    reports: areCertain ? changes.length : undefined,
    inserts: changes.filter(({ did }) => did === 'insert').length,
    removals: changes.filter(({ did }) => did === 'remove').length,
    kept: kept.of(plan, areCertain ? changes.flatMap(setColumns) : []),
  };
}

/** The columns that events can show and that changes did not set: one list for all rows with the same ones. */
class KeptColumns {
  readonly #shown = new Map<EntityPlan, readonly string[]>();
  readonly #lists = new Map<string, readonly string[]>();

  of(plan: EntityPlan, set: readonly string[]): readonly string[] {
    const shown = this.#shown.get(plan) ?? shownColumns(plan);
    this.#shown.set(plan, shown);
    const kept = set.length === 0 ? shown : shown.filter((name) => !set.includes(name));
    const text = kept.join('\u0000');
    const list = this.#lists.get(text) ?? kept;
    this.#lists.set(text, list);
    return list;
  }
}

function shownColumns({ metadata, events }: EntityPlan): string[] {
  const hidden = new Set(events.flatMap((event) => event.hidden));
  return metadata.columns
    .filter(
      (column) =>
        !column.isVirtualProperty &&
        !isHousekeeping(column) &&
        column.asExpression === undefined &&
        (column.isSelect || hidden.has(column.propertyPath)),
    )
    .map(({ databaseName }) => databaseName);
}

function setColumns({ did, plan, values }: RowChange): string[] {
  const { deleteDateColumn } = plan.metadata;
  if (did === 'soft-remove' || did === 'recover') return [deleteDateColumn!.databaseName];
  return values.flatMap(({ of }) => columnsOf(of)).map(({ databaseName }) => databaseName);
}

function columnsOf(of: ChangedValue['of']) {
  return 'joinColumns' in of ? of.joinColumns : [of];
}

/** Related rows as the capture has read them, before the write: they may have changed or gone since. */
function addKnownRelations({ did, plan, old }: RowChange, captured: readonly RowChange[]): void {
  const known = did === 'remove' ? captured.at(-1)! : captured[0]!;
  if (old === undefined || known.old === undefined || !known.oldIsComplete) return;
  for (const relation of plan.metadata.relations) {
    const value: unknown = relation.getEntityValue(known.old);
    if (value === undefined || !isSame(relation, value, relation.getEntityValue(old))) continue;
    setValue(old, relation, value);
  }
}

/** Tells whether two rows refer to the same one; of relations that other tables hold only the capture knows. */
function isSame(relation: RelationMetadata, one: unknown, other: unknown): boolean {
  if (relation.joinColumns.length === 0) return true;
  const [a, b] = [one, other].map((row) => row && rowKey(relation.inverseEntityMetadata, row));
  return (a ?? null) === (b ?? null);
}
