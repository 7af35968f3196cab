import type { ObjectLiteral } from 'typeorm';
import type { LinkPlan } from '../plan/entity-plan.js';
import { linkColumns, linkedId } from '../rows/junction-rows.js';
import type { LinkChange } from './row-change.js';
import { rowKey } from '../rows/row-key.js';

/**
 * A row of a junction table that came or went; undefined when the row tells only one end of it.
 *
 * @param removed finds the row at the other end by its key, if that is being removed. Default: it is not
 */
export function linkChange(
  plan: LinkPlan,
  did: LinkChange['did'],
  link: ObjectLiteral,
  removed?: (key: string) => ObjectLiteral | undefined,
): LinkChange | undefined {
  const { own, related } = linkColumns(plan.relation);
  const [id, relatedId] = [linkedId(own, link), linkedId(related, link)];
  if (id === undefined || relatedId === undefined) return undefined;
  const relatedKey =
    rowKey(plan.relation.inverseEntityMetadata, relatedId) ?? JSON.stringify(relatedId);
  return {
    type: 'link',
    did,
    plan,
    key: rowKey(plan.entity.metadata, id) ?? JSON.stringify(id),
    id,
    relatedKey,
    relatedId,
    removed: removed?.(relatedKey),
  };
}
