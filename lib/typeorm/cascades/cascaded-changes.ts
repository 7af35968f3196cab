import type { EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import type { CollectedItem } from '../../capture/changes/due-events.js';
import { linkChange } from '../entities/link-change.js';
import { linksToRemoved } from '../entities/link-rows.js';
import { changesOfRows, readComplete } from '../entities/rows-before.js';
import type { LinkPlan } from '../entities/entity-plan.js';
import { anyOf } from '../rows/any-of.js';
import { linksTo } from '../rows/junction-rows.js';
import { rowKey } from '../rows/row-key.js';
import { lockRemoved } from '../rows/row-lock.js';
import type { Cascade, CascadePlan } from './cascade-plan.js';

/** Rows of one class that are about to be deleted. */
export interface RowsToRemove {
  readonly metadata: EntityMetadata;
  readonly rows: readonly ObjectLiteral[];
  /** True if TypeORM reports the links of bidirectional relations itself. */
  readonly reportsLinks: boolean;
}

/** Thrown within the capture when a removal affects more rows than the limit; the message is the name of its entity. */
export class CascadeLimitError extends Error {}

const ROOT = 'thorn_row';
const PARENT = 'thorn_parent';
const ROWS_PER_QUERY = 500;

/** Reads the rows and links that the database will delete or release together with some rows. */
export class CascadedChanges {
  readonly #items: CollectedItem[] = [];
  readonly #released: { readonly identity: string; readonly item: CollectedItem }[] = [];
  readonly #removed = new Set<string>();
  #count = 0;

  /** @param limit the most rows and links that may be found */
  constructor(
    private readonly manager: EntityManager,
    private readonly plan: CascadePlan,
    private readonly limit: number,
  ) {}

  /**
   * The changes that the removal of these rows will make of others.
   *
   * @throws {@link CascadeLimitError} when they are more than the limit
   */
  async with(toRemove: readonly RowsToRemove[]): Promise<CollectedItem[]> {
    for (const { metadata, rows } of toRemove) {
      for (const row of rows) this.#removed.add(identityOf(metadata, row));
    }
    for (let level = toRemove; level.length > 0;) {
      const next: RowsToRemove[] = [];
      for (const rows of level) next.push(...(await this.#follow(rows)));
      level = next;
    }
    const released = this.#released.filter(({ identity }) => !this.#removed.has(identity));
    return [...this.#items, ...released.map(({ item }) => item)];
  }

  /** @returns the rows that are removed with these */
  async #follow({ metadata, rows, reportsLinks }: RowsToRemove): Promise<RowsToRemove[]> {
    const removed: RowsToRemove[] = [];
    const { cascades = [], links = [] } = this.plan.get(metadata) ?? {};
    for (const page of pagesOf(rows)) {
      for (const link of links) {
        if (!reportsLinks || link.relation.metadata.inverseRelation === undefined) {
          await this.#cut(link, metadata, page);
        }
      }
      for (const cascade of cascades) {
        const found = await this.#referring(cascade, metadata, page);
        if (found.length === 0) continue;
        if (cascade.does === 'release') await this.#release(cascade, found);
        else {
          await this.#remove(cascade, found);
          removed.push({ metadata: cascade.metadata, rows: found, reportsLinks: false });
        }
      }
    }
    return removed;
  }

  async #cut(
    plan: LinkPlan,
    metadata: EntityMetadata,
    rows: readonly ObjectLiteral[],
  ): Promise<void> {
    const links = await linksTo(this.manager, plan.relation.metadata, rows, this.#rest);
    this.#counted(links.length, metadata);
    const removed = new Map(rows.map((row) => [rowKey(metadata, row), row]));
    const changes = links
      .map((link) => linkChange(plan, 'unlink', link, (key) => removed.get(key)))
      .filter((change) => change !== undefined);
    // At the commit the rows are gone.
    this.#items.push(...linksToRemoved(changes, rows));
  }

  /** The rows that refer to some, which have not been met on another way. */
  async #referring(
    { metadata, relation, does }: Cascade,
    parent: EntityMetadata,
    rows: readonly ObjectLiteral[],
  ): Promise<ObjectLiteral[]> {
    const { primaryColumns } = parent;
    const query = this.manager
      .createQueryBuilder<ObjectLiteral>(metadata.target, ROOT)
      .withDeleted()
      .innerJoin(`${ROOT}.${relation.propertyPath}`, PARENT)
      .loadAllRelationIds({ relations: [relation.propertyPath], disableMixedMap: true })
      .where(
        anyOf(
          primaryColumns.map(({ propertyPath }) => `${PARENT}.${propertyPath}`),
          rows.map((row) => primaryColumns.map((column) => column.getEntityValue(row) as unknown)),
        ),
      )
      .limit(this.#rest);
    // Until they are removed, others must not change them, and refer to no row that is about to go.
    const found = await lockRemoved(query, this.manager).getMany();
    this.#counted(found.length, parent);
    if (does === 'release') return found;
    const fresh = found.filter((row) => !this.#removed.has(identityOf(metadata, row)));
    for (const row of fresh) this.#removed.add(identityOf(metadata, row));
    return fresh;
  }

  async #remove({ plan }: Cascade, rows: readonly ObjectLiteral[]): Promise<void> {
    if (plan === undefined) return;
    const events = plan.events.filter(
      ({ options, needsRow }) => options.on === 'delete' && needsRow,
    );
    const complete = await readComplete(this.manager, plan.metadata, rows, events, []);
    this.#items.push(...changesOfRows({ did: 'remove', plan, values: [] }, rows, complete));
  }

  async #release({ plan, relation }: Cascade, rows: readonly ObjectLiteral[]): Promise<void> {
    if (plan === undefined) return;
    const { metadata } = plan;
    const events = plan.events.filter(({ readsBefore }) => readsBefore);
    const complete = await readComplete(this.manager, metadata, rows, events, [relation]);
    const values = [{ of: relation, value: null }];
    for (const item of changesOfRows({ did: 'update', plan, values }, rows, complete)) {
      this.#released.push({ identity: identityOf(metadata, item.id), item });
    }
  }

  /** As many rows may be read: one more than may be found. */
  get #rest(): number {
    return this.limit - this.#count + 1;
  }

  #counted(found: number, { name }: EntityMetadata): void {
    this.#count += found;
    if (this.#count <= this.limit) return;
    throw new CascadeLimitError(name);
  }
}

/** Identifies a row among all of the data source: rows of a class and of its base are in one table. */
function identityOf(metadata: EntityMetadata, row: ObjectLiteral): string {
  return `${metadata.tablePath} ${rowKey(metadata, row)}`;
}

function pagesOf<Row>(rows: readonly Row[]): Row[][] {
  const pages: Row[][] = [];
  for (let start = 0; start < rows.length; start += ROWS_PER_QUERY) {
    pages.push(rows.slice(start, start + ROWS_PER_QUERY));
  }
  return pages;
}
