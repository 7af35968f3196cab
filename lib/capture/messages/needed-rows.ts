import type { DueEvent, UnseenWrites } from '../changes/due-events.js';
import { linksOf, type NetChange, type NetLinks } from '../changes/net-change.js';
import type { EventPlan, LinkPlan } from '../plan/event-plan.js';
import { besideColumns } from '../plan/row-paths.js';
import { tableRowKey } from '../table/row-key.js';
import type { Relation, RowTable } from '../table/row-table.js';
import type { RowReader, Rows } from './row-reader.js';

/** The rows that are known before any row is read. */
export interface KnownRows {
  /** True if nothing else was written since the changes were noticed: rows are as those say that tell them. */
  readonly alone?: boolean;
  /** Writes of the transaction that no hook has seen. Default: none that could undo the changes. */
  readonly unseen?: UnseenWrites | undefined;
}

/** The rows that the messages of due events need. */
export interface NeededRows {
  readonly rows: Rows;
  readonly unseen: UnseenWrites | undefined;
  /** The rows at the other end of links. */
  readonly related: Rows;
  /** Keys of the rows that still have links of a relation. */
  readonly linked: ReadonlyMap<Relation, ReadonlySet<string>>;
}

/** Rows of one table to read. */
interface WantedRows {
  readonly ids: Map<string, object>;
  readonly events: Set<EventPlan>;
}

/** Reads what due events need, in one query a table, unless it is known already. */
export async function readNeeded(
  dueEvents: readonly DueEvent[],
  reader: RowReader,
  { alone = false, unseen }: KnownRows,
): Promise<NeededRows> {
  const rows = new Map<RowTable, Map<string, object>>();
  const wanted = new Map<RowTable, WantedRows>();
  for (const [of, events] of eventsOfRows(dueEvents, unseen)) {
    const { table } = 'changed' in of ? of.plan : of.plan.entity;
    const known = 'changed' in of ? knownRow(of, events, alone) : undefined;
    if (known !== undefined) within(rows, table).set(of.key, known);
    else want(wanted, table, of, events);
  }
  for (const [table, { ids, events }] of wanted) {
    const read = await reader.rows(table, [...ids.values()], besideColumns([...events]));
    for (const [key, row] of read) within(rows, table).set(key, row);
  }
  return {
    rows,
    unseen,
    related: await readRelated(dueEvents, reader),
    linked: await readLinked(dueEvents, reader),
  };
}

/** The rows that have to be known, each with its events. */
function eventsOfRows(
  dueEvents: readonly DueEvent[],
  unseen: UnseenWrites | undefined,
): ReadonlyMap<NetChange | NetLinks, readonly EventPlan[]> {
  const rows = new Map<NetChange | NetLinks, EventPlan[]>();
  for (const dueEvent of dueEvents) {
    if (!isNeeded(dueEvent, unseen)) continue;
    const of = 'links' in dueEvent ? dueEvent.links : dueEvent.net;
    const events = rows.get(of);
    if (events === undefined) rows.set(of, [dueEvent.event]);
    else events.push(dueEvent.event);
  }
  return rows;
}

/** A row that was truly removed is known from its old values alone. */
function isNeeded(dueEvent: DueEvent, unseen: UnseenWrites | undefined): boolean {
  const { event, kind } = dueEvent;
  const plan = 'links' in dueEvent ? dueEvent.links.plan.entity : dueEvent.net.plan;
  if (unseen?.concern(plan, kind) === true) return true;
  if ('links' in dueEvent) return event.needsRow;
  return dueEvent.net.now.there && (event.needsRow || kind === 'change');
}

/**
 * The row as its change tells it; undefined where it has to be read. A plain `insert()` that is the only write of its
 * transaction needs no read: its entity has all that was stored. Beside another statement, which may have changed the row
 * again, and where an event asks for a relation or a hidden column, it is read.
 */
function knownRow(
  { after, afterIsComplete }: NetChange,
  events: readonly EventPlan[],
  alone: boolean,
): object | undefined {
  if (afterIsComplete) return after;
  const isSufficient = events.every(
    ({ joins, hidden, options }) => joins.length + hidden.length === 0 && options.reread !== true,
  );
  return alone && isSufficient ? after : undefined;
}

function want(
  wanted: Map<RowTable, WantedRows>,
  table: RowTable,
  { key, id }: NetChange | NetLinks,
  events: readonly EventPlan[],
): void {
  const of = wanted.get(table) ?? { ids: new Map<string, object>(), events: new Set() };
  wanted.set(table, of);
  of.ids.set(key, id);
  for (const event of events) of.events.add(event);
}

function within(rows: Map<RowTable, Map<string, object>>, table: RowTable): Map<string, object> {
  const known = rows.get(table) ?? new Map<string, object>();
  rows.set(table, known);
  return known;
}

async function readRelated(dueEvents: readonly DueEvent[], reader: RowReader): Promise<Rows> {
  const wanted = new Map<RowTable, Map<string, object>>();
  for (const dueEvent of dueEvents) {
    if (!('links' in dueEvent) || dueEvent.event.options.payload === undefined) continue;
    const { links, kind } = dueEvent;
    const { target } = links.plan.relation;
    for (const [key, id] of linksOf(kind, links)) {
      if (!links.gone.has(key) && tableRowKey(target, id) !== undefined) {
        within(wanted, target).set(key, id);
      }
    }
  }
  const rows = new Map<RowTable, ReadonlyMap<string, object>>();
  for (const [table, ids] of wanted) {
    rows.set(table, await reader.rows(table, [...ids.values()], { joins: [], hidden: [] }));
  }
  return rows;
}

/** The rows that still have links, by relation: they are not cleared. */
async function readLinked(
  dueEvents: readonly DueEvent[],
  reader: RowReader,
): Promise<NeededRows['linked']> {
  const wanted = new Map<LinkPlan, object[]>();
  for (const dueEvent of dueEvents) {
    if (dueEvent.kind !== 'cleared') continue;
    const { plan, id } = dueEvent.links;
    wanted.set(plan, [...(wanted.get(plan) ?? []), id]);
  }
  const linked = new Map<Relation, ReadonlySet<string>>();
  for (const [{ entity, relation }, ids] of wanted) {
    linked.set(relation, await reader.linked(entity.table, relation, ids));
  }
  return linked;
}
