import { isDeepStrictEqual } from 'node:util';
import type { DataSource, EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import type { ReportedRow } from '../../database/triggers/reported-table.js';
import { RowChange } from '../../capture/changes/row-change.js';
import { joinsOf } from '../../capture/plan/row-paths.js';
import { InvalidInputError } from '../../errors/index.js';
import type { EntityPlan } from '../entities/entity-plan.js';
import { type ChangedValue, setRelation } from '../rows/entity-values.js';
import { linkEnd } from '../rows/junction-rows.js';
import { type Column, entityRowKey, typeName, type RelationMetadata } from '../rows/columns.js';
import { readRows } from '../rows/row-reader.js';

/** A row of a table, as an entity. */
type Entity = ObjectLiteral;

/** The row of a change as its trigger has written it, and as an entity. */
export interface TriggeredRow {
  readonly rawBefore: ReportedRow | null;
  readonly rawAfter: ReportedRow | null;
  readonly before: Entity | undefined;
  readonly after: Entity | undefined;
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

  /** Tells whether a row is of the entity: in a table with several classes its discriminator says so. */
  isOf(raw: ReportedRow): boolean {
    const { discriminatorColumn, discriminatorValue } = this.plan.metadata;
    return (
      discriminatorColumn === undefined ||
      String(raw[discriminatorColumn.databaseName]) === String(discriminatorValue)
    );
  }

  read(rawBefore: ReportedRow | null, rawAfter: ReportedRow | null): TriggeredRow {
    const [before, after] = [rawBefore, rawAfter].map((raw) => raw && this.#rowOf(raw));
    return { rawBefore, rawAfter, before: before ?? undefined, after: after ?? undefined };
  }

  /** An entity of the values alone: of a relation it has the key. */
  #rowOf(raw: ReportedRow): Entity {
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
  async complete(read: readonly TriggeredRow[], manager: EntityManager): Promise<void> {
    if (this.#joins.length === 0) return;
    const { metadata } = this.plan;
    const rows = read
      .flatMap(({ before, after }) => [before, after])
      .filter((row) => row !== undefined);
    const isKept = ({ isOwning, isManyToMany }: RelationMetadata) => isOwning && !isManyToMany;
    const relations = metadata.relations.filter(({ propertyPath }) =>
      this.#joins.includes(propertyPath),
    );
    const ids = rows.map((row) => metadata.getEntityIdMap(row)!);
    const wanted = { metadata, ids, joins: this.#joins, hidden: [...this.#hidden] };
    const now = relations.every(isKept) ? new Map() : await readRows(manager, wanted);
    for (const relation of relations) {
      const related = isKept(relation) ? await this.#related(relation, rows, manager) : undefined;
      for (const row of rows) {
        if (related === undefined) {
          const current = now.get(entityRowKey(metadata, row)!);
          setRelation(row, relation, current && relation.getEntityValue(current));
          continue;
        }
        const known = relation.getEntityValue(row) as ObjectLiteral | null;
        const key =
          known === null ? undefined : entityRowKey(relation.inverseEntityMetadata, known);
        if (key !== undefined) setRelation(row, relation, related.get(key) ?? known);
      }
    }
  }

  /**
   * Makes the changes of a row from the report of a trigger: two when the row is inserted as softly removed. A change of the
   * key does not come here, because the reader of changes has made a removal and a creation of it.
   */
  changesOf(read: TriggeredRow): RowChange[] {
    const { before, after } = read;
    if (after === undefined) return [this.#change('remove', before, undefined)];
    if (before !== undefined) {
      return [this.#change(this.#did(before, after), before, after, this.#values(read, after))];
    }
    const inserted = this.#change('insert', undefined, after);
    return this.#isRemoved(after)
      ? [inserted, this.#change('soft-remove', undefined, after)]
      : [inserted];
  }

  #change(
    did: RowChange['did'],
    before: Entity | undefined,
    after: Entity | undefined,
    values: readonly ChangedValue[] = [],
  ): RowChange {
    const { plan } = this;
    const id = after ?? before!;
    const changed = plan.table.values(values);
    return new RowChange({
      ...{ did, plan, key: this.#keyOf(id), id, before, after, isComplete: true, changed },
    });
  }

  #keyOf(row: Entity): string {
    const key = entityRowKey(this.plan.metadata, row);
    if (key !== undefined) return key;
    throw new InvalidInputError('key', `of ${this.plan.table.name} is missing in a change`);
  }

  #did(before: Entity, after: Entity): RowChange['did'] {
    const is = this.#isRemoved(after);
    if (is === this.#isRemoved(before)) return 'update';
    return is ? 'soft-remove' : 'recover';
  }

  #isRemoved(row: Entity): boolean {
    return (this.plan.metadata.deleteDateColumn?.getEntityValue(row) ?? null) !== null;
  }

  #values({ rawBefore, rawAfter }: TriggeredRow, after: Entity): ChangedValue[] {
    const { columns, relationsWithJoinColumns } = this.plan.metadata;
    const isChanged = ({ databaseName: name }: Column) =>
      !isDeepStrictEqual(rawBefore?.[name], rawAfter?.[name]);
    const fields = [
      ...columns.filter(
        (column) =>
          !column.isVirtual &&
          (column.isSelect || this.#hidden.has(column.propertyPath)) &&
          isChanged(column),
      ),
      ...relationsWithJoinColumns.filter(({ joinColumns }) => joinColumns.some(isChanged)),
    ];
    return fields.map((of) => ({ of, value: of.getEntityValue(after) as unknown }));
  }

  #relatedId(relation: RelationMetadata, raw: ReportedRow): ObjectLiteral | null {
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
    await identify(relation, rows, manager);
    const ids = new Map<string, ObjectLiteral>();
    for (const row of rows) {
      const related = relation.getEntityValue(row) as ObjectLiteral | null;
      const key = related === null ? undefined : entityRowKey(metadata, related);
      if (key !== undefined) ids.set(key, related!);
    }
    return readRows(manager, {
      metadata,
      ids: [...ids.values()],
      joins: below(this.#joins),
      hidden: below(this.#hidden),
    });
  }

  #value(value: unknown, column: Column): unknown {
    return valueOf(this.dataSource, value, column);
  }
}

const ROW = 'thorn_row';
const ROWS_PER_QUERY = 500;

/** Reads the primary keys of related rows that rows name by other columns, as with `referencedColumnName`. */
async function identify(
  relation: RelationMetadata,
  rows: readonly Entity[],
  manager: EntityManager,
): Promise<void> {
  const { inverseEntityMetadata: metadata, joinColumns } = relation;
  const unknown = rows
    .map((row) => relation.getEntityValue(row) as ObjectLiteral | null)
    .filter((related) => related !== null && entityRowKey(metadata, related) === undefined);
  const referenced = joinColumns.map((column) => column.referencedColumn!);
  const paths = [...metadata.primaryColumns, ...referenced].map((column) => column.propertyPath);
  for (let start = 0; start < unknown.length; start += ROWS_PER_QUERY) {
    const page = unknown.slice(start, start + ROWS_PER_QUERY) as ObjectLiteral[];
    const found = await manager
      .createQueryBuilder<ObjectLiteral>(metadata.target, ROW)
      .select([...new Set(paths)].map((path) => `${ROW}.${path}`))
      .withDeleted()
      .where(
        page.map(
          (related) =>
            Object.assign(
              {},
              ...referenced.map((column) => column.getEntityValueMap(related)),
            ) as object,
        ),
      )
      .getMany();
    const known = new Map(found.map((row) => [linkEnd(joinColumns, row), row]));
    for (const related of page) {
      const row = known.get(linkEnd(joinColumns, related));
      if (row === undefined) continue;
      for (const column of metadata.primaryColumns) {
        column.setEntityValue(related, column.getEntityValue(row));
      }
    }
  }
}

const BINARY = /blob|binary|bytea/;
const NUMERIC = /int|real|double|float|numeric|decimal/;

/** Makes the value of a column as TypeORM makes it of its driver's answer. */
export function valueOf(
  { driver, options }: DataSource,
  value: unknown,
  column: EntityMetadata['columns'][number],
): unknown {
  return driver.prepareHydratedValue(answered(value, typeName(column), options.type), column);
}

/** A value as the driver answers it: triggers write bytes, and numbers of any length, as texts. */
function answered(value: unknown, type: string, database: string): unknown {
  if (typeof value !== 'string') return value;
  if (BINARY.test(type)) return Buffer.from(value, 'base64');
  return database === 'better-sqlite3' && NUMERIC.test(type) ? Number(value) : value;
}
