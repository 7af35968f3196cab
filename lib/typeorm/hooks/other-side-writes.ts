import type { EntityMetadata, ObjectLiteral, QueryRunner } from 'typeorm';
import { RowChange } from '../../capture/changes/row-change.js';
import { queryRunnerOf } from '../private-properties.js';
import type { Execute, WriteBuilder, WriteInterceptor } from '../criteria/write-builders.js';
import { rowsQuery } from '../criteria/matched-rows.js';
import { valueAtPath } from '../../capture/plan/payload.js';
import { besideColumns } from '../../capture/plan/row-paths.js';
import type { Connections, OtherSideWrite, WaitingWrites } from '../connection/connection-state.js';
import type { CapturePlan, EntityPlan } from '../entities/entity-plan.js';
import { lockWritten } from '../rows/row-lock.js';
import { readRows } from '../rows/row-reader.js';
import { supplied } from '../../capture/table/row-copy.js';
import { setEmptyLinks } from '../rows/entity-values.js';
import { entityRowKey, type RelationMetadata } from '../rows/columns.js';

/**
 * The most writes that may wait for their hook. On a connection without transactions some never get one, and they must
 * not pile up.
 */
const MOST_WAITING = 1_000;

/**
 * Notices the updates that a save makes of rows at the other end of a one-to-many or one-to-one relation, as in
 * `author.articles.push(article)`. TypeORM's hook of such an update does not say which row it was or, if the save
 * cascades to it, which relation. The query builder that makes the update does.
 */
export class OtherSideWrites implements WriteInterceptor {
  constructor(
    private readonly plan: CapturePlan,
    private readonly connections: Connections,
  ) {}

  write(builder: WriteBuilder, execute: Execute): Promise<unknown> {
    const queryRunner = queryRunnerOf(builder);
    if (queryRunner === undefined) return execute();
    const { metadata } = builder.expressionMap.mainAlias!;
    const relations = this.#relationsSet(builder, metadata);
    const id = relations.length === 0 ? undefined : idOf(builder, metadata);
    return id === undefined
      ? execute()
      : this.#notice(builder, execute, { metadata, relations, id, queryRunner });
  }

  /** The write that a hook without a row is about; undefined when that row's class has no events. */
  async extractNext({
    queryRunner,
    metadata,
  }: {
    readonly queryRunner: QueryRunner;
    readonly metadata: EntityMetadata;
  }): Promise<OtherSideWrite | undefined> {
    const waiting = this.#of(queryRunner, metadata);
    const hook = waiting.hooks++;
    // TypeORM calls all hooks of a save in one turn, in the order of their writes: by the next turn they are counted.
    await Promise.resolve();
    const { writes, hooks } = waiting;
    // The hooks belong to the last writes. Earlier ones were made by hand in the same transaction, and get no hook: of the
    // writes A, B and C and two hooks, the first hook is about B.
    const write = writes.at(hook - hooks);
    if (hook === hooks - 1) {
      waiting.writes = [];
      waiting.hooks = 0;
    }
    return write;
  }

  /** The write of a row that its hook tells, once. */
  extract(
    queryRunner: QueryRunner,
    { metadata }: EntityPlan,
    key: string,
  ): OtherSideWrite | undefined {
    const byKey = this.connections.of(queryRunner).save.otherSides.get(metadata)?.byKey;
    const write = byKey?.get(key);
    byKey?.delete(key);
    return write;
  }

  /** The relations that an update sets and that have another side, of an entity with events for it. */
  #relationsSet({ expressionMap }: WriteBuilder, metadata: EntityMetadata): RelationMetadata[] {
    const { valuesSet } = expressionMap;
    if (valuesSet === undefined || this.#plansOf(metadata).length === 0) return [];
    return metadata.relationsWithJoinColumns.filter(
      (relation) =>
        relation.inverseRelation !== undefined &&
        valueAtPath(valuesSet, relation.propertyPath) !== undefined,
    );
  }

  /** With single-table inheritance, a relation to the base class may hold rows of subclasses. */
  #plansOf(metadata: EntityMetadata): EntityPlan[] {
    const { entities } = this.plan;
    return [metadata, ...metadata.childEntityMetadatas]
      .map((entity) => entities.get(entity))
      .filter((plan) => plan !== undefined)
      .filter(({ events }) => events.some(({ options }) => options.on === 'change'));
  }

  async #notice(
    { expressionMap: { valuesSet, whereEntities } }: WriteBuilder,
    execute: Execute,
    {
      metadata,
      relations,
      id,
      queryRunner,
    }: {
      readonly metadata: EntityMetadata;
      readonly relations: readonly RelationMetadata[];
      readonly id: ObjectLiteral;
      readonly queryRunner: QueryRunner;
    },
  ): Promise<unknown> {
    const values = relations.map((of) => ({ of, value: valueAtPath(valuesSet, of.propertyPath) }));
    const write: OtherSideWrite = { values };
    const waiting = this.#of(queryRunner, metadata);
    const isNamed = whereEntities.length > 0;
    if (isNamed) waiting.byKey.set(entityRowKey(metadata, id)!, write);
    else if (waiting.writes.push(write) > MOST_WAITING) waiting.writes.shift();
    try {
      // A row that its hook tells was loaded by TypeORM, with the relation unless the save cascades to it.
      if (!isNamed || relations.some(({ inverseRelation }) => cascades(inverseRelation))) {
        const rows = rowsQuery(queryRunner.manager, metadata, relations).whereInIds(id);
        lockWritten(rows, queryRunner.manager, true);
        const old = await rows.getOne();
        if (old !== null) setEmptyLinks(old, relations);
        write.old = old ?? undefined;
      }
      if (!isNamed) await this.#readWhole(write, metadata, queryRunner);
      return await execute();
    } catch (error) {
      waiting.writes = waiting.writes.filter((other) => other !== write);
      throw error;
    }
  }

  /** Reads what events ask of the row before besides its columns. */
  async #readWhole(
    write: OtherSideWrite,
    metadata: EntityMetadata,
    queryRunner: QueryRunner,
  ): Promise<void> {
    const { old } = write;
    const plan =
      old && this.#plansOf(metadata).find((one) => one.metadata.target === old.constructor);
    if (plan === undefined) return;
    write.plan = plan;
    const events = plan.events.filter(({ readsBefore }) => readsBefore);
    if (events.length === 0) return;
    const wanted = { metadata: plan.metadata, ids: [old!], ...besideColumns(events) };
    const rows = await readRows(queryRunner.manager, wanted);
    write.whole = rows.get(entityRowKey(plan.metadata, old!)!);
  }

  #of(queryRunner: QueryRunner, metadata: EntityMetadata): WaitingWrites {
    const { otherSides } = this.connections.of(queryRunner).save;
    const waiting = otherSides.get(metadata) ?? { writes: [], hooks: 0, byKey: new Map() };
    otherSides.set(metadata, waiting);
    return waiting;
  }
}

/** Adds the values that were set from the other side of its relations to the change of a row. */
export function withOtherSide(
  change: RowChange,
  { table }: EntityPlan,
  { values, old }: OtherSideWrite,
): RowChange {
  const added = table
    .values(values)
    .filter(({ of }) => change.changed.every((value) => value.of !== of));
  if (added.length === 0) return change;
  const fields = added.map(({ of }) => of);
  const before = change.before && old ? supplied(change.before, old, fields, table) : change.before;
  return new RowChange({ ...change, before, changed: [...change.changed, ...added] });
}

function cascades(relation: RelationMetadata | undefined): boolean {
  return relation?.isCascadeInsert === true || relation?.isCascadeUpdate === true;
}

/** The id of the row that a write's condition names; undefined when the condition is of any other form. */
function idOf(
  { expressionMap: { whereEntities, wheres, parameters } }: WriteBuilder,
  metadata: EntityMetadata,
): ObjectLiteral | undefined {
  if (whereEntities.length > 0) return whereEntities.length === 1 ? whereEntities[0] : undefined;
  const [where, ...others] = wheres;
  if (others.length > 0 || !Array.isArray(where?.condition)) return undefined;
  const id: ObjectLiteral = {};
  for (const { condition } of where.condition) {
    if (typeof condition === 'string' || !('operator' in condition)) return undefined;
    if (condition.operator !== 'equal') return undefined;
    const [path, parameter] = condition.parameters;
    const column = metadata.primaryColumns.find(({ propertyPath }) => propertyPath === path);
    if (column === undefined || parameter === undefined) return undefined;
    column.setEntityValue(id, parameters[parameter.slice(1)]);
  }
  return entityRowKey(metadata, id) === undefined ? undefined : id;
}
