import type { ObjectLiteral } from 'typeorm';
import type { LinkChange } from '../../capture/changes/row-change.js';
import { linkColumns, linkedId } from '../rows/junction-rows.js';
import { rowKey } from '../../capture/table/row-key.js';
import type { LinkPlan } from './entity-plan.js';

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
  const { own, related } = linkColumns(plan.relation.metadata);
  const [id, relatedId] = [linkedId(own, link), linkedId(related, link)];
  if (id === undefined || relatedId === undefined) return undefined;
  const relatedKey = rowKey(plan.relation.target, relatedId) ?? JSON.stringify(relatedId);
  return {
    type: 'link',
    did,
    plan,
    key: rowKey(plan.entity.table, id) ?? JSON.stringify(id),
    id,
    relatedKey,
    relatedId,
    removed: removed?.(relatedKey),
  };
}
