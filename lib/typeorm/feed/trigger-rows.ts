import type { DataSource, EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import type { Row } from '../../database/sql-client.js';
import { InvalidInputError } from '../../errors/index.js';
import { RowChange } from '../../capture/changes/row-change.js';
import { joinsOf } from '../../capture/plan/row-paths.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import type { ChangedValue } from '../rows/changed-values.js';
import { setRelation } from '../rows/entity-values.js';
import { rowKey } from '../rows/row-key.js';
import { readRows } from '../rows/row-reader.js';
import type { RelationMetadata } from '../rows/typeorm-types.js';
import type { TriggerReport } from './change-table.js';

/** A row of a report, as an entity. */
type Entity = ObjectLiteral;

/** A report with its rows, as entities. */
export interface ReadReport {
  readonly report: TriggerReport;
  readonly rows: TriggerRows;
  readonly old: Entity | undefined;
  /** The row before it was removed, where that is not {@link old}. */
  readonly last: Entity | undefined;
  readonly now: Entity | undefined;
}

/** Makes entities of the rows that triggers have written down. */
export class TriggerRows {
  readonly #hidden: ReadonlySet<string>;
  readonly #joins: readonly string[];

  constructor(
    private readonly dataSource: DataSource,
    readonly plan: EntityPlan,
  ) {
    this.#hidden = new Set(plan.events.flatMap(({ hidden }) => hidden));
    this.#joins = joinsOf(plan.events.flatMap(({ joins }) => joins));
  }

  /** An entity of the values alone: of a relation it has the key. */
  rowOf(raw: Row): Entity {
    const { metadata } = this.plan;
    const row = metadata.create() as Entity;
    for (const column of metadata.columns) {
      const { isVirtual, isVirtualProperty, isSelect, propertyPath, databaseName } = column;
      if (isVirtual || isVirtualProperty || !(databaseName in raw)) continue;
      if (!isSelect && !this.#hidden.has(propertyPath)) continue;
      column.setEntityValue(row, this.#value(raw[databaseName], column));
    }
    for (const relation of metadata.relationsWithJoinColumns) {
      setRelation(row, relation, this.#relatedId(relation, raw));
    }
    for (const listener of metadata.afterLoadListeners) {
      if (listener.isAllowed(row)) void listener.execute(row);
    }
    return row;
  }

  /** Loads the relations that the entity's events ask for, as far as they are still there. */
  async complete(rows: readonly Entity[], manager: EntityManager): Promise<void> {
    if (this.#joins.length === 0) return;
    const { metadata } = this.plan;
    const ids = rows.map((row) => metadata.getEntityIdMap(row)!);
    const isKept = ({ isOwning, isManyToMany }: RelationMetadata) => isOwning && !isManyToMany;
    const relations = metadata.relations.filter(({ propertyPath }) =>
      this.#joins.includes(propertyPath),
    );
    const wanted = { metadata, ids, joins: this.#joins, hidden: [...this.#hidden] };
    const now = relations.every(isKept) ? new Map() : await readRows(manager, wanted);
    for (const relation of relations) {
      const related = isKept(relation) ? await this.#related(relation, rows, manager) : undefined;
      for (const row of rows) {
        if (related === undefined) {
          const current = now.get(rowKey(metadata, row)!);
          setRelation(row, relation, current && relation.getEntityValue(current));
          continue;
        }
        const known = relation.getEntityValue(row) as ObjectLiteral | null;
        const key = known === null ? undefined : rowKey(relation.inverseEntityMetadata, known);
        if (key !== undefined) setRelation(row, relation, related.get(key) ?? known);
      }
    }
  }

  /** What a report says of its row. */
  changesOf({ report, old, last, now }: ReadReport): RowChange[] {
    const { plan } = this;
    const id = now ?? old ?? {};
    const key = rowKey(plan.metadata, id);
    if (key === undefined) throw new InvalidInputError('key', 'must name a row of the table');
    const change = (
      did: RowChange['did'],
      before: Entity | undefined,
      values: ChangedValue[] = [],
    ) =>
      new RowChange({
        did,
        plan,
        key,
        id,
        before,
        after: did === 'remove' ? undefined : now,
        isComplete: true,
        changed: plan.table.values(values),
      });
    if (old !== undefined && now !== undefined) {
      return [change(this.#did(report, old, now), old, this.#values(report, now))];
    }
    if (now === undefined) {
      const removed = change('remove', last ?? old);
      return last === undefined ? [removed] : [change('update', old), removed];
    }
    const inserted = change('insert', undefined);
    return this.#isRemoved(now) ? [inserted, change('soft-remove', undefined)] : [inserted];
  }

  #did({ changed }: TriggerReport, old: Entity, now: Entity): RowChange['did'] {
    const column = this.plan.metadata.deleteDateColumn;
    if (column === undefined || !changed.includes(column.databaseName)) return 'update';
    const is = this.#isRemoved(now);
    if (is === this.#isRemoved(old)) return 'update';
    return is ? 'soft-remove' : 'recover';
  }

  #isRemoved(row: Entity): boolean {
    return (this.plan.metadata.deleteDateColumn?.getEntityValue(row) ?? null) !== null;
  }

  #values({ changed }: TriggerReport, now: Entity): ChangedValue[] {
    const { columns, relationsWithJoinColumns } = this.plan.metadata;
    const fields = [
      ...columns.filter(
        ({ isVirtual, isSelect, propertyPath, databaseName }) =>
          !isVirtual &&
          (isSelect || this.#hidden.has(propertyPath)) &&
          changed.includes(databaseName),
      ),
      ...relationsWithJoinColumns.filter(({ joinColumns }) =>
        joinColumns.some(({ databaseName }) => changed.includes(databaseName)),
      ),
    ];
    return fields.map((of) => ({ of, value: of.getEntityValue(now) as unknown }));
  }

  #relatedId(relation: RelationMetadata, raw: Row): ObjectLiteral | null {
    const { inverseEntityMetadata, joinColumns } = relation;
    const related = inverseEntityMetadata.create() as ObjectLiteral;
    for (const column of joinColumns) {
      const value = raw[column.databaseName];
      if (value === null || value === undefined) return null;
      const target = column.referencedColumn!;
      target.setEntityValue(related, this.#value(value, target));
    }
    return related;
  }

  async #related(
    relation: RelationMetadata,
    rows: readonly Entity[],
    manager: EntityManager,
  ): Promise<ReadonlyMap<string, ObjectLiteral>> {
    const metadata = relation.inverseEntityMetadata;
    const below = (paths: Iterable<string>): string[] => {
      const prefix = `${relation.propertyPath}.`;
      return [...paths].flatMap((path) =>
        path.startsWith(prefix) ? [path.slice(prefix.length)] : [],
      );
    };
    const ids = new Map<string, ObjectLiteral>();
    for (const row of rows) {
      const related = relation.getEntityValue(row) as ObjectLiteral | null;
      const key = related === null ? undefined : rowKey(metadata, related);
      if (key !== undefined) ids.set(key, related!);
    }
    return readRows(manager, {
      metadata,
      ids: [...ids.values()],
      joins: below(this.#joins),
      hidden: below(this.#hidden),
    });
  }

  #value(value: unknown, column: EntityMetadata['columns'][number]): unknown {
    return this.dataSource.driver.prepareHydratedValue(value, column) as unknown;
  }
}
