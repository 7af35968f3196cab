import type { Message } from '../../message/message.js';
import type { EntityPlan, EventPlan, LinkPlan } from '../plan/entity-plan.js';
import { kindOf, mergeChange, mergeLink, type NetChange, type NetLinks } from './net-change.js';
import type { LinkChange, RowChange } from './row-change.js';

/** Anything that a transaction collects on its way to its commit. */
export type CollectedItem =
  RowChange | LinkChange | { readonly type: 'message'; readonly message: Message };

/** Something that a message may be made of, if it proves to be a real change and its event's condition holds. */
export type Occurrence =
  | {
      readonly kind: 'create' | 'change' | 'delete';
      readonly event: EventPlan;
      readonly net: NetChange;
    }
  | {
      readonly kind: 'added' | 'removed' | 'cleared';
      readonly event: EventPlan;
      readonly links: NetLinks;
      /** The other changes of the row. */
      readonly net: NetChange | undefined;
    };

/** Merges changes into one occurrence per row; messages stay as they are, and the order is that of the first change. */
export function occurrencesOf(items: readonly CollectedItem[]): readonly (Occurrence | Message)[] {
  const rows = new Map<EntityPlan, Map<string, NetChange>>();
  const links = new Map<LinkPlan, Map<string, NetLinks>>();
  const order = new Set<NetChange | NetLinks | Message>();
  for (const item of items) {
    if (item.type === 'message') order.add(item.message);
    else if (item.type === 'row') order.add(merge(rows, item, mergeChange));
    else order.add(merge(links, item, mergeLink));
  }
  return [...order].flatMap((entry): (Occurrence | Message)[] => {
    if ('before' in entry) return occurrencesOfRow(entry);
    if ('added' in entry)
      return occurrencesOfLinks(entry, rows.get(entry.plan.entity)?.get(entry.key));
    return [entry];
  });
}

function merge<Plan, Change extends { readonly plan: Plan; readonly key: string }, Net>(
  all: Map<Plan, Map<string, Net>>,
  change: Change,
  into: (net: Net | undefined, change: Change) => Net,
): Net {
  let ofPlan = all.get(change.plan);
  if (ofPlan === undefined) all.set(change.plan, (ofPlan = new Map()));
  const net = into(ofPlan.get(change.key), change);
  ofPlan.set(change.key, net);
  return net;
}

function occurrencesOfRow(net: NetChange): Occurrence[] {
  return net.plan.events.flatMap((event) => {
    const kind = kindOf(net, event);
    return kind !== undefined && event.options.on === kind ? [{ kind, event, net }] : [];
  });
}

function occurrencesOfLinks(links: NetLinks, net: NetChange | undefined): Occurrence[] {
  const { entity, relation } = links.plan;
  // A row that is gone has its own event, which says it all.
  if (net !== undefined && (!net.now.there || net.now.removed)) return [];
  return entity.events.flatMap((event): Occurrence[] => {
    const { on } = event.options;
    if (event.relation !== relation || typeof on === 'string') return [];
    const kind = 'added' in on ? 'added' : 'removed' in on ? 'removed' : 'cleared';
    const concerned = kind === 'added' ? links.added : links.removed;
    return concerned.size === 0 ? [] : [{ kind, event, links, net }];
  });
}
