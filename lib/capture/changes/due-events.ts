import type { Message } from '../../message/message.js';
import type { EventPlan, LinkPlan, TablePlan } from '../plan/event-plan.js';
import { kindOf, mergeChange, mergeLink, NetChange, type NetLinks } from './net-change.js';
import type { LinkChange, RowChange } from './row-change.js';

/** Anything that a transaction collects on its way to its commit. */
export type CollectedItem =
  RowChange | LinkChange | { readonly type: 'message'; readonly message: Message };

/** The changes of one row, for one event. */
class DueRowEvent {
  constructor(
    readonly kind: 'create' | 'change' | 'delete',
    readonly event: EventPlan,
    readonly net: NetChange,
  ) {}
}

/** Something that a message may be made of, if it proves to be a real change and its event's condition holds. */
export type DueEvent =
  | DueRowEvent
  | {
      readonly kind: 'added' | 'removed' | 'cleared';
      readonly event: EventPlan;
      readonly links: NetLinks;
      /** The other changes of the row. */
      readonly net: NetChange | undefined;
    };

/**
 * Merges changes into one for each row and event. Messages in the list stay as they are. The result is in the order of
 * first changes.
 *
 * @param wanted the events to look at
 */
export function dueEventsOf(
  items: readonly CollectedItem[],
  wanted: ReadonlySet<EventPlan>,
): (DueEvent | Message)[] {
  const rows = new Map<TablePlan, Map<string, NetChange>>();
  const links = new Map<LinkPlan, Map<string, NetLinks>>();
  const order: (NetChange | NetLinks | Message)[] = [];
  for (const item of items) {
    const first =
      item.type === 'message'
        ? item.message
        : item.type === 'row'
          ? merge(rows, item, mergeChange)
          : merge(links, item, mergeLink);
    if (first !== undefined) order.push(first);
  }
  const found: (DueEvent | Message)[] = [];
  for (const entry of order) {
    if (entry instanceof NetChange) addDueEvents(entry, wanted, found);
    else if ('added' in entry) {
      const ofRow = rows.get(entry.plan.entity)?.get(entry.key);
      found.push(...dueEventsOfLinks(entry, ofRow).filter(({ event }) => wanted.has(event)));
    } else found.push(entry);
  }
  return found;
}

/** @returns undefined when there is a change of the same already */
function merge<Plan, Change extends { readonly plan: Plan; readonly key: string }, Net>(
  all: Map<Plan, Map<string, Net>>,
  change: Change,
  into: (net: Net | undefined, change: Change) => Net,
): Net | undefined {
  let ofPlan = all.get(change.plan);
  if (ofPlan === undefined) all.set(change.plan, (ofPlan = new Map()));
  const known = ofPlan.get(change.key);
  const net = into(known, change);
  if (known !== undefined) return undefined;
  ofPlan.set(change.key, net);
  return net;
}

function addDueEvents(
  net: NetChange,
  wanted: ReadonlySet<EventPlan>,
  to: (DueEvent | Message)[],
): void {
  for (const event of net.plan.events) {
    if (!wanted.has(event)) continue;
    const kind = kindOf(net, event);
    if (kind !== undefined && event.options.on === kind) to.push(new DueRowEvent(kind, event, net));
  }
}

function dueEventsOfLinks(links: NetLinks, net: NetChange | undefined): DueEvent[] {
  const { entity, relation } = links.plan;
  // A row that is gone has its own event, which says it all.
  if (net !== undefined && (!net.now.there || net.now.removed)) return [];
  return entity.events.flatMap((event): DueEvent[] => {
    const { on } = event.options;
    if (event.relation !== relation || typeof on === 'string') return [];
    const kind = 'added' in on ? 'added' : 'removed' in on ? 'removed' : 'cleared';
    const concerned = kind === 'added' ? links.added : links.removed;
    return concerned.size === 0 ? [] : [{ kind, event, links, net }];
  });
}

/**
 * Writes of a transaction that no hook has seen: SQL by hand, foreign keys of the database, writes that are not captured. When
 * there are any, rows with changes to report are read again before the commit.
 */
export class UnseenWrites {
  /**
   * @param uncaptured the tables with writes that are not captured, because of which rows may have been softly removed,
   *   recovered or inserted again. Rows of any table may have been removed
   */
  constructor(private readonly uncaptured: ReadonlySet<TablePlan>) {}

  /** Tells whether a row may be another than its changes say. */
  concern(plan: TablePlan, kind: DueEvent['kind']): boolean {
    return kind !== 'delete' || this.uncaptured.has(plan);
  }

  /**
   * Tells whether a row has proved to be another than its changes say: it is gone, or there again.
   *
   * @param row the row as it is; undefined when none was found
   */
  haveUndone(dueEvent: DueEvent, row: object | undefined): boolean {
    const { kind, event, net } = dueEvent;
    const plan = 'links' in dueEvent ? dueEvent.links.plan.entity : dueEvent.net.plan;
    if (row === undefined) return kind !== 'delete';
    if (!this.uncaptured.has(plan)) return false;
    if (net?.now.there === false) return true;
    const removedAt = plan.table.deleteDate?.get(row);
    if (removedAt === undefined || event.options.softRemoval === false) return false;
    return (removedAt !== null) !== (net?.now.removed ?? false);
  }
}
