import type {
  DataSource,
  EntityManager,
  EntityMetadata,
  EntitySubscriberInterface,
  ObjectLiteral,
  QueryRunner,
  RemoveEvent,
} from 'typeorm';
import type { CollectedItem } from '../changes/occurrences.js';
import type { CapturePlan, EntityPlan } from '../plan/entity-plan.js';
import { rowKey } from '../rows/row-key.js';
import { type LossPlan, planLosses } from './cascade-plan.js';
import { type DoomedRows, LostRows, TooManyLostError } from './lost-rows.js';

/** How cascades are answered, as the options say. */
export interface CascadeRules {
  /** Tells whether rows of an entity send events when the database removes or releases them with others. */
  followsCascades(plan: EntityPlan): boolean;
  /** The most rows and links that a removal may take with it. */
  readonly cascadeLimit: number;
  /** Answers a removal that takes more, of an entity with this name. */
  cascadeOverflow(entity: string): void;
}

/** The removals that one save is about to make, and what will be lost with them. */
interface Removal {
  readonly doomed: { metadata: EntityMetadata; rows: ObjectLiteral[]; tellsLinks: boolean }[];
  items: readonly CollectedItem[];
  readonly read: Promise<void>;
}

/** Knows what is lost with the rows that `remove()` deletes, and reads it before. */
export class Removals {
  #plan: LossPlan = new Map();
  /** Still open for more rows of the same save. */
  readonly #open = new WeakMap<QueryRunner, Removal>();
  /** By the rows that are removed. */
  readonly #waiting = new WeakMap<QueryRunner, Map<string, Removal>>();

  constructor(private readonly rules: CascadeRules) {}

  /** @returns hooks of the entities whose rows take others with them */
  plan(dataSource: DataSource, plan: CapturePlan): EntitySubscriberInterface<ObjectLiteral>[] {
    this.#plan = planLosses(dataSource.entityMetadatas, plan, (entity) =>
      this.rules.followsCascades(entity),
    );
    return [...this.#plan.keys()].map((metadata) => ({
      listenTo: () => metadata.target,
      beforeRemove: (event: RemoveEvent<ObjectLiteral>) => {
        if (event.metadata === metadata) return this.#begin(event);
      },
    }));
  }

  /** Tells whether the removal of rows takes others with it whose events are to be sent. */
  takesOthers(metadata: EntityMetadata): boolean {
    return [metadata, ...metadata.childEntityMetadatas].some((entity) => this.#plan.has(entity));
  }

  /** What will be lost with rows of a class, or of one that extends it. */
  lostWith(
    manager: EntityManager,
    metadata: EntityMetadata,
    rows: readonly ObjectLiteral[],
  ): Promise<readonly CollectedItem[]> {
    const classes = metadata.childEntityMetadatas;
    const classOf = (row: ObjectLiteral): EntityMetadata =>
      classes.find(({ target }) => target === row.constructor) ?? metadata;
    return this.#lost(
      manager,
      [metadata, ...classes].map((entity) => ({
        metadata: entity,
        rows: rows.filter((row) => classOf(row) === entity),
        tellsLinks: false,
      })),
    );
  }

  /** What was lost with a row and others of the same save, once. */
  take(event: RemoveEvent<ObjectLiteral>): readonly CollectedItem[] {
    const waiting = this.#waiting.get(event.queryRunner);
    const place = waiting && placeOf(event);
    const removal = place === undefined ? undefined : waiting?.get(place);
    if (removal === undefined) return [];
    waiting!.delete(place!);
    const { items } = removal;
    removal.items = [];
    return items;
  }

  /** The transaction has ended. */
  forget(queryRunner: QueryRunner): void {
    this.#waiting.delete(queryRunner);
  }

  async #lost(
    manager: EntityManager,
    doomed: readonly DoomedRows[],
  ): Promise<readonly CollectedItem[]> {
    try {
      return await new LostRows(manager, this.#plan, this.rules.cascadeLimit).with(doomed);
    } catch (error) {
      if (!(error instanceof TooManyLostError)) throw error;
      this.rules.cascadeOverflow(error.message);
      return [];
    }
  }

  #begin(event: RemoveEvent<ObjectLiteral>): Promise<void> | void {
    const { queryRunner, metadata } = event;
    const place = placeOf(event);
    if (place === undefined) return;
    let removal = this.#open.get(queryRunner);
    if (removal === undefined) {
      const doomed: Removal['doomed'] = [];
      const opened: Removal = {
        doomed,
        items: [],
        read: Promise.resolve().then(async () => {
          this.#open.delete(queryRunner);
          opened.items = await this.#lost(event.manager, doomed);
        }),
      };
      this.#open.set(queryRunner, (removal = opened));
    }
    const tellsLinks = event.databaseEntity !== undefined;
    const row = rowOf(event);
    const same = removal.doomed.find(
      (other) => other.metadata === metadata && other.tellsLinks === tellsLinks,
    );
    if (same === undefined) removal.doomed.push({ metadata, rows: [row], tellsLinks });
    else same.rows.push(row);
    const waiting = this.#waiting.get(queryRunner) ?? new Map<string, Removal>();
    this.#waiting.set(queryRunner, waiting.set(place, removal));
    return removal.read;
  }
}

function placeOf(event: RemoveEvent<ObjectLiteral>): string | undefined {
  // What a query builder deletes by criteria has neither.
  if (event.databaseEntity === undefined && event.entityId === undefined) return undefined;
  return `${event.metadata.tablePath} ${rowKey(event.metadata, rowOf(event))}`;
}

function rowOf({ databaseEntity, metadata, entityId }: RemoveEvent<ObjectLiteral>): ObjectLiteral {
  return databaseEntity ?? metadata.ensureEntityIdMap(entityId);
}
