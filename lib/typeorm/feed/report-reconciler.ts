import type { EntityManager, EntityMetadata } from 'typeorm';
import type { CollectedItem } from '../../capture/changes/due-events.js';
import type { RowChange } from '../../capture/changes/row-change.js';
import type { OtherReports } from '../hooks/change-collector.js';
import type { CapturedEntities } from '../hooks/entity-capture-options.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import type { EntityColumn } from '../entities/entity-table.js';
import { UNKNOWN_VALUE } from '../../capture/table/field-value.js';
import { setRelation } from '../rows/entity-values.js';
import { readsBackTheSame } from '../rows/read-back.js';
import { rowKey } from '../rows/row-key.js';
import { isRelation } from '../../capture/table/row-table.js';
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
    const plan = planOf(item);
    const rows = plans.get(plan) ?? new Map<string, RowChange[]>();
    plans.set(plan, rows);
    const changes = rows.get(item.key);
    if (changes === undefined) rows.set(item.key, [item]);
    else changes.push(item);
  }
  return [...plans.values()].flatMap((rows) => [...rows.values()]);
}

/** Changes that are certain have a report each. Others may have one, which nothing tells from one that SQL by hand made. */
function capturedRow(changes: readonly RowChange[], kept: KeptColumns): CapturedRow {
  const [{ id }] = changes as [RowChange];
  const plan = planOf(changes[0]!);
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
        !(column.isUpdateDate || column.isVersion || !column.isUpdate) &&
        column.asExpression === undefined &&
        (column.isSelect || hidden.has(column.propertyPath)),
    )
    .map(({ databaseName }) => databaseName);
}

function setColumns({ did, plan, changed }: RowChange): string[] {
  if (did === 'soft-remove' || did === 'recover') return [plan.table.deleteDate!.name];
  return changed.flatMap(({ of }) => (isRelation(of) ? of.columns : [of])).map(({ name }) => name);
}

/** Related rows as the capture has read them, before the write: they may have changed or gone since. */
function addKnownRelations(change: RowChange, captured: readonly RowChange[]): void {
  const { did, before } = change;
  const known = did === 'remove' ? captured.at(-1)! : captured[0]!;
  if (before === undefined || known.before === undefined || !known.isComplete) return;
  for (const relation of planOf(change).metadata.relations) {
    const value: unknown = relation.getEntityValue(known.before);
    if (value === undefined || !isSame(relation, value, relation.getEntityValue(before))) continue;
    setRelation(before, relation, value);
  }
}

/** Tells whether a change is sure to have left its row with other values, as far as the values tell that were set. */
function isCertain({ did, plan: { table }, before, changed }: RowChange): boolean {
  if (did === 'insert' || did === 'remove') return true;
  if (before === undefined) return false;
  if (did !== 'update') {
    return (did === 'recover') === ((table.deleteDate?.get(before) ?? null) !== null);
  }
  return changed.some(({ of, value }) => {
    if (isRelation(of) || of.isAutomatic || !of.isUpdated || value === UNKNOWN_VALUE) return false;
    const old = of.get(before);
    if (of.isHidden && old === undefined) return false;
    const { metadata } = of as EntityColumn;
    return !Object.is(old ?? null, value ?? null) && readsBackTheSame(metadata, value);
  });
}

function planOf({ plan }: RowChange): EntityPlan {
  return plan as EntityPlan;
}

/** Tells whether two rows refer to the same one; of relations that other tables hold only the capture knows. */
function isSame(relation: RelationMetadata, one: unknown, other: unknown): boolean {
  if (relation.joinColumns.length === 0) return true;
  const [a, b] = [one, other].map((row) => row && rowKey(relation.inverseEntityMetadata, row));
  return (a ?? null) === (b ?? null);
}
