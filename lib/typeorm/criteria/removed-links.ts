import type { EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import type { LinkChange } from '../../capture/changes/row-change.js';
import { relationsCutWith } from '../entities/affecting-entities.js';
import type { LinkPlan } from '../entities/entity-plan.js';
import { linkChange } from '../entities/link-rows.js';
import { linksTo } from '../rows/junction-rows.js';
import { entityRowKey } from '../rows/columns.js';
import type { WriteContext } from './write-context.js';

/** Rows of one class that are about to be removed. */
export interface RowsToRemove {
  readonly metadata: EntityMetadata;
  readonly rows: readonly ObjectLiteral[];
}

const ROWS_PER_QUERY = 500;

/**
 * Reads the links that the database deletes together with some rows, because no hook reports them. Each link is
 * returned as a row of its junction table; `linksToRemoved()` completes it.
 *
 * @throws {@link BulkWriteError} when there are more links than an entity's `bulkLimit`, and such removals are refused
 */
export async function readRemovedLinks(
  context: WriteContext,
  manager: EntityManager,
  toRemove: RowsToRemove,
): Promise<readonly LinkChange[]> {
  const removed: LinkChange[] = [];
  for (const plan of relationsCutWith(context.plan, toRemove.metadata)) {
    const limit = context.guard.limitOf(plan.entity);
    const links = await linksWith(manager, plan, toRemove, limit + 1);
    if (links.length <= limit) removed.push(...links);
    else context.guard.overflow(plan.entity, 'removal of linked rows');
  }
  return removed;
}

async function linksWith(
  manager: EntityManager,
  plan: LinkPlan,
  { metadata, rows }: RowsToRemove,
  limit: number,
): Promise<LinkChange[]> {
  const removed = new Map(rows.map((row) => [entityRowKey(metadata, row), row]));
  const found: LinkChange[] = [];
  for (let start = 0; start < rows.length && found.length < limit; start += ROWS_PER_QUERY) {
    const page = rows.slice(start, start + ROWS_PER_QUERY);
    const links = await linksTo(manager, plan.relation.metadata, page, limit - found.length);
    const changes = links.map((link) =>
      linkChange(plan, 'unlink', link, (key) => removed.get(key)),
    );
    found.push(...changes.filter((change) => change !== undefined));
  }
  return found;
}
