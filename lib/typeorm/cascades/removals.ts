import type {
  DataSource,
  EntityManager,
  EntityMetadata,
  EntitySubscriberInterface,
  ObjectLiteral,
  QueryRunner,
  RemoveEvent,
} from 'typeorm';
import type { CollectedItem } from '../../capture/changes/due-events.js';
import type { CapturePlan, EntityPlan } from '../entities/entity-plan.js';
import { rowKey } from '../rows/row-key.js';
import { lockRows } from '../rows/row-lock.js';
import { readRows } from '../rows/row-reader.js';
import { type CascadePlan, planCascades } from './cascade-plan.js';
import type { Connections, Removal } from '../connection/connection-state.js';
import { type RowsToRemove, CascadedChanges, CascadeLimitError } from './cascaded-changes.js';

/** The options that decide about cascades. */
export interface CascadeRules {
  /** Tells whether rows of an entity send events when the database removes or releases them with others. */
  followsCascades(plan: EntityPlan): boolean;
  /** The greatest number of other rows and links that a removal may affect. */
  readonly cascadeLimit: number;
  /** Refuses or reports a removal that affects more, of an entity with this name. */
  cascadeOverflow(entity: string): void;
}

/** Reads the changes that the database will make together with a removal, before the removal. */
export class Removals {
  #plan: CascadePlan = new Map();

  constructor(
    private readonly rules: CascadeRules,
    private readonly connections: Connections,
  ) {}

  /** @returns the hooks of entities whose removal changes other rows */
  plan(dataSource: DataSource, plan: CapturePlan): EntitySubscriberInterface<ObjectLiteral>[] {
    this.#plan = planCascades(dataSource.entityMetadatas, plan, (entity) =>
      this.rules.followsCascades(entity),
    );
    return [...this.#plan.keys()].map((metadata) => ({
      listenTo: () => metadata.target,
      beforeRemove: (event: RemoveEvent<ObjectLiteral>) => {
        if (event.metadata === metadata) return this.#begin(event);
      },
    }));
  }

  /** Tells whether a removal changes other rows whose events are to be sent. */
  affectsOthers(metadata: EntityMetadata): boolean {
    return [metadata, ...metadata.childEntityMetadatas].some((entity) => this.#plan.has(entity));
  }

  /** The events of other rows that a removal of rows of a class, or of one that extends it, may send. */
  eventsWith(metadata: EntityMetadata): readonly string[] {
    const names = new Set<string>();
    const seen = new Set<EntityMetadata>();
    const follow = (entity: EntityMetadata): void => {
      if (seen.has(entity)) return;
      seen.add(entity);
      const { cascades = [], links = [] } = this.#plan.get(entity) ?? {};
      for (const { entity: other, relation } of links) {
        for (const { name, options, ...event } of other.events) {
          const isCut = typeof options.on === 'object' && !('added' in options.on);
          if (isCut && event.relation === relation) names.add(name);
        }
      }
      for (const { metadata: other, does, plan } of cascades) {
        for (const { name, options } of plan?.events ?? []) {
          if (options.on === (does === 'remove' ? 'delete' : 'change')) names.add(name);
        }
        if (does === 'remove') follow(other);
      }
    };
    for (const entity of [metadata, ...metadata.childEntityMetadatas]) follow(entity);
    return [...names];
  }

  /** Reads the changes that a removal of rows of a class, or of one that extends it, will cause. */
  changesWith(
    manager: EntityManager,
    metadata: EntityMetadata,
    rows: readonly ObjectLiteral[],
  ): Promise<readonly CollectedItem[]> {
    const classes = metadata.childEntityMetadatas;
    const classOf = (row: ObjectLiteral): EntityMetadata =>
      classes.find(({ target }) => target === row.constructor) ?? metadata;
    return this.#read(
      manager,
      [metadata, ...classes].map((entity) => ({
        metadata: entity,
        rows: rows.filter((row) => classOf(row) === entity),
        reportsLinks: false,
      })),
    );
  }

  /** Returns the changes that the removals of one save cause, with the first of its rows; nothing with the others. */
  extract(event: RemoveEvent<ObjectLiteral>): readonly CollectedItem[] {
    const { removals } = this.connections.of(event.queryRunner).save;
    const identity = removals.size === 0 ? undefined : identityOf(event);
    const removal = identity === undefined ? undefined : removals.get(identity);
    if (removal === undefined) return [];
    removals.delete(identity!);
    const { items } = removal;
    removal.items = [];
    return items;
  }

  /** Finds a row that a save removes, of those whose links it reports itself. */
  removedRow(
    queryRunner: QueryRunner,
    { tablePath }: EntityMetadata,
    key: string,
  ): ObjectLiteral | undefined {
    return this.connections.of(queryRunner).save.linked.get(`${tablePath} ${key}`);
  }

  async #read(
    manager: EntityManager,
    toRemove: readonly RowsToRemove[],
  ): Promise<readonly CollectedItem[]> {
    try {
      return await new CascadedChanges(manager, this.#plan, this.rules.cascadeLimit).with(toRemove);
    } catch (error) {
      if (!(error instanceof CascadeLimitError)) throw error;
      this.rules.cascadeOverflow(error.message);
      return [];
    }
  }

  /** TypeORM has not loaded rows that a one-to-many relation has lost: their links are told with the rows. */
  async #complete(manager: EntityManager, lost: Removal['toRemove'][number]): Promise<void> {
    const { metadata } = lost;
    if (this.#plan.get(metadata)?.links.length === 0) return;
    const wanted = { metadata, ids: lost.rows, joins: [], hidden: [] };
    const found = await readRows(manager, wanted);
    lost.rows = lost.rows.map((row) => found.get(rowKey(metadata, row)!) ?? row);
  }

  #begin(event: RemoveEvent<ObjectLiteral>): Promise<void> | void {
    const { queryRunner, metadata } = event;
    const identity = identityOf(event);
    if (identity === undefined) return;
    const state = this.connections.of(queryRunner);
    let { removal } = state;
    if (removal === undefined) {
      const toRemove: Removal['toRemove'] = [];
      const opened: Removal = {
        toRemove,
        items: [],
        read: Promise.resolve().then(async () => {
          state.removal = undefined;
          for (const one of toRemove) {
            await lockRows(event.manager, one.metadata, one.rows);
            if (!one.reportsLinks) await this.#complete(event.manager, one);
          }
          opened.items = await this.#read(event.manager, toRemove);
        }),
      };
      state.removal = removal = opened;
    }
    const reportsLinks = event.databaseEntity !== undefined;
    const row = rowOf(event);
    if (reportsLinks && this.#plan.get(metadata)!.links.length > 0) {
      state.save.linked.set(identity, row);
    }
    const same = removal.toRemove.find(
      (other) => other.metadata === metadata && other.reportsLinks === reportsLinks,
    );
    if (same === undefined) removal.toRemove.push({ metadata, rows: [row], reportsLinks });
    else same.rows.push(row);
    state.save.removals.set(identity, removal);
    return removal.read;
  }
}

function identityOf(event: RemoveEvent<ObjectLiteral>): string | undefined {
  // What a query builder deletes by criteria has neither.
  if (event.databaseEntity === undefined && event.entityId === undefined) return undefined;
  return `${event.metadata.tablePath} ${rowKey(event.metadata, rowOf(event))}`;
}

function rowOf({ databaseEntity, metadata, entityId }: RemoveEvent<ObjectLiteral>): ObjectLiteral {
  return databaseEntity ?? metadata.ensureEntityIdMap(entityId);
}
