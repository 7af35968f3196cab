import type { EventPlan, LinkPlan, TablePlan } from '../plan/event-plan.js';
import { type FieldValue, UNKNOWN_VALUE, type Field, type RowTable } from '../table/row-table.js';
import { copyRow } from '../table/row-copy.js';
import type { LinkChange, RowChange } from './row-change.js';

/** The state of a row: there or not, softly removed or not. */
interface Presence {
  readonly there: boolean;
  readonly removed: boolean;
}

/** The net effect of one transaction on one row. It begins as the effect of a single change. */
export class NetChange {
  readonly plan: TablePlan;
  readonly key: string;
  readonly id: object;
  readonly was: Presence;
  now: Presence;
  /** The row before the transaction; undefined when there was none. */
  before: object | undefined;
  /** The row before its last change; for a removed row, its last state. */
  last: object | undefined;
  /** True if {@link before} and {@link last} were read with everything that conditions and payloads ask for. */
  beforeIsComplete: boolean;
  lastIsComplete: boolean;
  /** The row after the transaction. Undefined where it has to be read. */
  after: object | undefined;
  /** True if {@link after} has everything as well. */
  afterIsComplete: boolean;
  changed: ReadonlyMap<Field, FieldValue>;
  /** True if the row was removed and then inserted again. */
  replaced = false;

  constructor(change: RowChange) {
    this.plan = change.plan;
    this.key = change.key;
    this.id = change.id;
    this.was = presenceBefore(change);
    this.now = presenceAfter(change, this.was);
    this.before = change.before;
    this.last = change.before;
    this.beforeIsComplete = change.isComplete;
    this.lastIsComplete = change.isComplete;
    this.after = change.after;
    this.afterIsComplete = change.isComplete;
    this.changed = change.changed.length === 0 ? NOTHING : new Map(byField(change.changed));
  }
}

/** The net effect of one transaction on one row's links of one relation. */
export interface NetLinks {
  readonly plan: LinkPlan;
  readonly key: string;
  readonly id: object;
  readonly added: Map<string, object>;
  readonly removed: Map<string, object>;
  /** The rows at the other end that were removed themselves, as they were. */
  readonly gone: Map<string, object>;
}

const THERE: Presence = { there: true, removed: false };
const SOFTLY_REMOVED: Presence = { there: true, removed: true };
const GONE: Presence = { there: false, removed: false };
const NOTHING: NetChange['changed'] = new Map();

/**
 * Adds a further change of the same row. The row before the transaction is the one of the first change; the row as it
 * is now, and the row before its last write, come from the last change. For example: inserted and then updated makes
 * one `create`; updated twice makes one `change`; inserted and then removed makes no event.
 */
export function mergeChange(net: NetChange | undefined, change: RowChange): NetChange {
  if (net === undefined) return new NetChange(change);
  net.after = change.after;
  net.afterIsComplete = change.isComplete;
  net.replaced ||= change.did === 'insert' && net.was.there;
  net.now = presenceAfter(change, net.now);
  // A later row may know a relation that the first one had not loaded, and that nothing had changed until then.
  if (net.before !== undefined && change.before !== undefined && !net.beforeIsComplete) {
    for (const { of } of change.changed) {
      if (!net.changed.has(of) && of.get(net.before) === undefined) {
        net.before = copyRow(net.before, net.plan.table);
        of.set(net.before, of.get(change.before));
      }
    }
  }
  if (change.before !== undefined) {
    net.last = change.before;
    net.lastIsComplete = change.isComplete;
  }
  if (change.changed.length > 0) {
    net.changed = new Map([...net.changed, ...byField(change.changed)]);
  }
  return net;
}

/** Takes a further change of the same row's links into account. */
export function mergeLink(net: NetLinks | undefined, change: LinkChange): NetLinks {
  const { plan, key, id, relatedKey, relatedId } = change;
  const links = net ?? { plan, key, id, added: new Map(), removed: new Map(), gone: new Map() };
  if (change.removed === undefined) links.gone.delete(relatedKey);
  else links.gone.set(relatedKey, change.removed);
  const [into, outOf] =
    change.did === 'link' ? [links.added, links.removed] : [links.removed, links.added];
  if (!outOf.delete(relatedKey)) into.set(relatedKey, relatedId);
  return links;
}

/** The kind of a change for an event. For an event that ignores soft removal, softly removed rows still exist. */
export function kindOf(
  net: NetChange,
  { options }: EventPlan,
): 'create' | 'change' | 'delete' | undefined {
  const seen = ({ there, removed }: Presence): boolean =>
    there && !(removed && options.softRemoval !== false);
  const [was, now] = [seen(net.was), seen(net.now)];
  if (was !== now) return now ? 'create' : 'delete';
  const touched = net.changed.size > 0 || net.replaced;
  return touched && was && now ? 'change' : undefined;
}

/** The links that a due event is about. */
export function linksOf(kind: string, { added, removed }: NetLinks): ReadonlyMap<string, object> {
  return kind === 'added' ? added : removed;
}

function presenceBefore({ did, plan, before }: RowChange): Presence {
  if (did === 'insert') return GONE;
  const removed: unknown = before && plan.table.deleteDate?.get(before);
  if (removed === undefined) return did === 'recover' ? SOFTLY_REMOVED : THERE;
  return removed === null ? THERE : SOFTLY_REMOVED;
}

function byField(changed: RowChange['changed']): [Field, FieldValue][] {
  return changed.map((value) => [value.of, value]);
}

function presenceAfter({ did, plan: { table }, changed }: RowChange, was: Presence): Presence {
  switch (did) {
    case 'insert':
      return removedBy(table, changed) === true ? SOFTLY_REMOVED : THERE;
    case 'recover':
      return THERE;
    case 'soft-remove':
      return SOFTLY_REMOVED;
    case 'remove':
      return GONE;
    case 'update':
      return (removedBy(table, changed) ?? was.removed) ? SOFTLY_REMOVED : THERE;
  }
}

/** Tells whether values that were set remove a row softly, or recover it; undefined when they do not say. */
function removedBy({ deleteDate }: RowTable, changed: RowChange['changed']): boolean | undefined {
  if (deleteDate === undefined) return undefined;
  const set = changed.find(({ of }) => of === deleteDate);
  return set === undefined || set.value === UNKNOWN_VALUE
    ? undefined
    : (set.value ?? null) !== null;
}
