import type { ObjectLiteral } from 'typeorm';
import type { EntityPlan, EventPlan, LinkPlan } from '../plan/entity-plan.js';
import { type ChangedValue, UNKNOWN_VALUE } from '../rows/changed-values.js';
import type { LinkChange, RowChange } from './row-change.js';
import type { Column } from '../rows/row-key.js';
import { copyRow, setValue } from '../rows/row-copy.js';
import type { RelationMetadata } from '../rows/typeorm-types.js';

/** The state of a row: there or not, softly removed or not. */
interface Presence {
  readonly there: boolean;
  readonly removed: boolean;
}

/** The net effect of one transaction on one row: to begin with, that of one change. */
export class NetChange {
  readonly plan: EntityPlan;
  readonly key: string;
  readonly id: ObjectLiteral;
  readonly before: Presence;
  now: Presence;
  /** The row before the transaction; undefined when there was none. */
  old: ObjectLiteral | undefined;
  /** The row before its last change: what a removed row was like. */
  last: ObjectLiteral | undefined;
  /** True if {@link old} and {@link last} were read with everything that conditions and payloads ask for. */
  oldIsComplete: boolean;
  lastIsComplete: boolean;
  values: ReadonlyMap<Column | RelationMetadata, ChangedValue>;
  /** The values that, over {@link old}, make the row; undefined when the row has to be read. */
  exact: readonly ChangedValue[] | undefined;
  /** True if the row was removed and then inserted again. */
  replaced = false;

  constructor(change: RowChange) {
    this.plan = change.plan;
    this.key = change.key;
    this.id = change.id;
    this.before = presenceBefore(change);
    this.now = presenceAfter(change, this.before);
    this.old = change.old;
    this.last = change.old;
    this.oldIsComplete = change.oldIsComplete;
    this.lastIsComplete = change.oldIsComplete;
    this.values = change.values.length === 0 ? NO_VALUES : new Map(byField(change.values));
    this.exact = change.exact;
  }
}

/** The net effect of one transaction on one row's links of one relation. */
export interface NetLinks {
  readonly plan: LinkPlan;
  readonly key: string;
  readonly id: ObjectLiteral;
  readonly added: Map<string, ObjectLiteral>;
  readonly removed: Map<string, ObjectLiteral>;
  /** The rows at the other end that were removed themselves, as they were. */
  readonly gone: Map<string, ObjectLiteral>;
}

const THERE: Presence = { there: true, removed: false };
const SOFTLY_REMOVED: Presence = { there: true, removed: true };
const GONE: Presence = { there: false, removed: false };
const NO_VALUES: NetChange['values'] = new Map();

/** Takes a further change of the same row into account. */
export function mergeChange(net: NetChange | undefined, change: RowChange): NetChange {
  if (net === undefined) return new NetChange(change);
  net.exact = undefined;
  net.replaced ||= change.did === 'insert' && net.before.there;
  net.now = presenceAfter(change, net.now);
  // A later old row may know a relation that the first one had not loaded, and that nothing had changed until then.
  if (net.old !== undefined && change.old !== undefined && !net.oldIsComplete) {
    for (const { of } of change.values) {
      if (!net.values.has(of) && of.getEntityValue(net.old) === undefined) {
        net.old = copyRow(net.old, net.plan.metadata);
        setValue(net.old, of, of.getEntityValue(change.old));
      }
    }
  }
  if (change.old !== undefined) {
    net.last = change.old;
    net.lastIsComplete = change.oldIsComplete;
  }
  if (change.values.length > 0) net.values = new Map([...net.values, ...byField(change.values)]);
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

/** The kind of a change for an event: for one that ignores soft removal, softly removed rows are still there. */
export function kindOf(
  net: NetChange,
  { options }: EventPlan,
): 'create' | 'change' | 'delete' | undefined {
  const seen = ({ there, removed }: Presence): boolean =>
    there && !(removed && options.softRemoval !== false);
  const [before, now] = [seen(net.before), seen(net.now)];
  if (before !== now) return now ? 'create' : 'delete';
  const touched = net.values.size > 0 || net.replaced;
  return touched && before && now ? 'change' : undefined;
}

/** The links that a due event is about. */
export function linksOf(
  kind: string,
  { added, removed }: NetLinks,
): ReadonlyMap<string, ObjectLiteral> {
  return kind === 'added' ? added : removed;
}

function presenceBefore({ did, plan, old }: RowChange): Presence {
  if (did === 'insert') return GONE;
  const removed: unknown = old && plan.metadata.deleteDateColumn?.getEntityValue(old);
  if (removed === undefined) return did === 'recover' ? SOFTLY_REMOVED : THERE;
  return removed === null ? THERE : SOFTLY_REMOVED;
}

function byField(values: RowChange['values']): [ChangedValue['of'], ChangedValue][] {
  return values.map((value) => [value.of, value]);
}

function presenceAfter({ did, plan, values }: RowChange, { removed }: Presence): Presence {
  switch (did) {
    case 'insert':
      return removedBy(plan, values) === true ? SOFTLY_REMOVED : THERE;
    case 'recover':
      return THERE;
    case 'soft-remove':
      return SOFTLY_REMOVED;
    case 'remove':
      return GONE;
    case 'update':
      return (removedBy(plan, values) ?? removed) ? SOFTLY_REMOVED : THERE;
  }
}

/** Tells whether values that were set remove a row softly, or recover it; undefined when they do not say. */
function removedBy({ metadata }: EntityPlan, values: RowChange['values']): boolean | undefined {
  if (metadata.deleteDateColumn === undefined) return undefined;
  const set = values.find(({ of }) => 'isDeleteDate' in of && of.isDeleteDate);
  return set === undefined || set.value === UNKNOWN_VALUE
    ? undefined
    : (set.value ?? null) !== null;
}
