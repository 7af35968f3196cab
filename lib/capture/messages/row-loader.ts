import type { EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import { UnseenWrites } from '../changes/unseen-writes.js';
import type { DueEvent } from '../changes/due-events.js';
import type { EventPlan } from '../plan/entity-plan.js';
import { besideColumns } from '../plan/entity-paths.js';
import { linksOf, type NetChange, type NetLinks } from '../changes/net-change.js';
import { isChangedByValues } from '../changes/change-detection.js';
import { rowsWithLinks } from '../rows/junction-rows.js';
import { rowKey } from '../rows/row-key.js';
import { readRows } from '../rows/row-reader.js';
import type { RelationMetadata } from '../rows/typeorm-types.js';

/** Rows by their class and key. */
export type Rows = ReadonlyMap<EntityMetadata, ReadonlyMap<string, ObjectLiteral>>;

/** Keys of the rows that still have links of a relation. */
type LinkedRows = ReadonlyMap<RelationMetadata, ReadonlySet<string>>;

/** What is known of the rows before any is read. */
export interface KnownRows {
  /** True if they were inserted and nothing else was written: they are what was saved, where the types of the columns say so. */
  readonly alone?: boolean;
  /** The rows, where they are not to be read. */
  readonly given?: Rows;
  /** Default: none. */
  readonly unseen?: UnseenWrites;
}

/** The rows that the messages of due events need. */
export interface NeededRows {
  readonly rows: Rows;
  readonly unseen: UnseenWrites;
  /** The rows at the other end of links. */
  readonly related: Rows;
  readonly linked: LinkedRows;
}

const NONE: ReadonlyMap<never, never> = new Map<never, never>();

interface WantedRows {
  readonly ids: Map<string, ObjectLiteral>;
  readonly events: Set<EventPlan>;
}

/** Saves a query where the values that were set tell already that nothing has changed. */
export function mayBeChanged(dueEvent: DueEvent): boolean {
  return dueEvent.kind !== 'change' || isChangedByValues(dueEvent.net, dueEvent.event) !== false;
}

const NONE_UNSEEN = new UnseenWrites();

/**
 * Reads what due events need, in one query a class, unless it is known already; see {@link EntityMessages.of}.
 */
export async function loadRows(
  dueEvents: readonly DueEvent[],
  manager: EntityManager,
  { alone = false, given, unseen = NONE_UNSEEN }: KnownRows,
): Promise<NeededRows> {
  const known = given ?? (alone ? knownRows(dueEvents, unseen) : undefined);
  const hasLinks = dueEvents.some((dueEvent) => 'links' in dueEvent);
  return known !== undefined && !hasLinks
    ? { rows: known, unseen, related: NONE, linked: NONE }
    : readNeeded(dueEvents, manager, known, unseen);
}

async function readNeeded(
  dueEvents: readonly DueEvent[],
  manager: EntityManager,
  known: Rows | undefined,
  unseen: UnseenWrites,
): Promise<NeededRows> {
  const rows = known ?? (await readAll(manager, dueEvents, unseen));
  return {
    rows,
    unseen,
    related: await readRelated(manager, dueEvents),
    linked: await readLinked(manager, dueEvents),
  };
}

/** A row that was truly removed is known from its old values alone. */
function mustBeRead(dueEvent: DueEvent, unseen: UnseenWrites): boolean {
  const { event, kind } = dueEvent;
  if ('links' in dueEvent) {
    return event.needsRow || unseen.concern(dueEvent.links.plan.entity, kind);
  }
  const { net } = dueEvent;
  return (
    net.now.there &&
    (event.needsRow ||
      unseen.concern(net.plan, kind) ||
      (kind === 'change' && isChangedByValues(net, event) === undefined))
  );
}

/** The rows that due events need; undefined when they have to be read. */
function knownRows(dueEvents: readonly DueEvent[], unseen: UnseenWrites): Rows | undefined {
  const needing = new Map<NetChange, EventPlan[]>();
  for (const dueEvent of dueEvents) {
    if (!mustBeRead(dueEvent, unseen)) continue;
    if ('links' in dueEvent) return undefined;
    const { net, event } = dueEvent;
    const events = needing.get(net);
    if (events === undefined) needing.set(net, [event]);
    else events.push(event);
  }
  const rows = new Map<EntityMetadata, Map<string, ObjectLiteral>>();
  for (const [net, events] of needing) {
    const row = knownRow(net, events);
    if (row === undefined) return undefined;
    const { metadata } = net.plan;
    const others = rows.get(metadata);
    if (others === undefined) rows.set(metadata, new Map([[net.key, row]]));
    else others.set(net.key, row);
  }
  return rows;
}

function knownRow(
  { exact, plan: { metadata } }: NetChange,
  events: readonly EventPlan[],
): ObjectLiteral | undefined {
  const isSufficient = events.every(
    ({ joins, hidden, options }) => joins.length + hidden.length === 0 && options.reread !== true,
  );
  if (exact === undefined || !isSufficient) return undefined;
  const row = metadata.create() as ObjectLiteral;
  for (const { of, value } of exact) of.setEntityValue(row, value);
  return row;
}

async function readAll(
  manager: EntityManager,
  dueEvents: readonly DueEvent[],
  unseen: UnseenWrites,
): Promise<Rows> {
  const wanted = new Map<EntityMetadata, WantedRows>();
  for (const dueEvent of dueEvents) {
    if (!mustBeRead(dueEvent, unseen)) continue;
    const { key, id } = 'links' in dueEvent ? dueEvent.links : dueEvent.net;
    const { metadata } = 'links' in dueEvent ? dueEvent.links.plan.entity : dueEvent.net.plan;
    const of: WantedRows = wanted.get(metadata) ?? { ids: new Map(), events: new Set() };
    of.ids.set(key, id);
    of.events.add(dueEvent.event);
    wanted.set(metadata, of);
  }
  const rows = new Map<EntityMetadata, ReadonlyMap<string, ObjectLiteral>>();
  for (const [metadata, { ids, events }] of wanted) {
    const beside = besideColumns([...events]);
    rows.set(metadata, await readRows(manager, { metadata, ids: [...ids.values()], ...beside }));
  }
  return rows;
}

async function readRelated(manager: EntityManager, dueEvents: readonly DueEvent[]): Promise<Rows> {
  const wanted = new Map<EntityMetadata, Map<string, ObjectLiteral>>();
  for (const dueEvent of dueEvents) {
    if (!('links' in dueEvent) || dueEvent.event.options.payload === undefined) continue;
    const metadata = dueEvent.links.plan.relation.inverseEntityMetadata;
    const ids = wanted.get(metadata) ?? new Map<string, ObjectLiteral>();
    for (const [key, id] of linksOf(dueEvent.kind, dueEvent.links)) {
      if (!dueEvent.links.gone.has(key) && rowKey(metadata, id) !== undefined) ids.set(key, id);
    }
    wanted.set(metadata, ids);
  }
  const rows = new Map<EntityMetadata, ReadonlyMap<string, ObjectLiteral>>();
  for (const [metadata, ids] of wanted) {
    rows.set(
      metadata,
      await readRows(manager, { metadata, ids: [...ids.values()], joins: [], hidden: [] }),
    );
  }
  return rows;
}

/** The rows that still have links, by relation: they are not cleared. */
async function readLinked(
  manager: EntityManager,
  dueEvents: readonly DueEvent[],
): Promise<ReadonlyMap<RelationMetadata, ReadonlySet<string>>> {
  const wanted = new Map<RelationMetadata, NetLinks[]>();
  for (const dueEvent of dueEvents) {
    if (dueEvent.kind !== 'cleared') continue;
    const { relation } = dueEvent.links.plan;
    wanted.set(relation, [...(wanted.get(relation) ?? []), dueEvent.links]);
  }
  const linked = new Map<RelationMetadata, ReadonlySet<string>>();
  for (const [relation, links] of wanted) {
    linked.set(
      relation,
      await rowsWithLinks(
        manager,
        relation,
        links.map(({ id }) => id),
      ),
    );
  }
  return linked;
}
