import type { EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import { Doubts } from '../changes/doubts.js';
import type { Occurrence } from '../changes/occurrences.js';
import type { EventPlan } from '../plan/entity-plan.js';
import { joinsOf } from '../plan/entity-paths.js';
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
  readonly doubts?: Doubts;
}

/** The rows that the messages of occurrences need. */
export interface NeededRows {
  readonly rows: Rows;
  readonly doubts: Doubts;
  /** The rows at the other end of links. */
  readonly related: Rows;
  readonly linked: LinkedRows;
}

const NONE: ReadonlyMap<never, never> = new Map<never, never>();

interface WantedRows {
  readonly ids: Map<string, ObjectLiteral>;
  readonly joins: string[];
  readonly hidden: Set<string>;
}

/** Saves a query where the values that were set tell already that nothing has changed. */
export function mayBeChanged(occurrence: Occurrence): boolean {
  return (
    occurrence.kind !== 'change' || isChangedByValues(occurrence.net, occurrence.event) !== false
  );
}

const NO_DOUBTS = new Doubts();

/**
 * Reads what occurrences need, in one query a class, unless it is known already; see {@link EntityMessages.of}.
 */
export async function loadRows(
  occurrences: readonly Occurrence[],
  manager: EntityManager,
  { alone = false, given, doubts = NO_DOUBTS }: KnownRows,
): Promise<NeededRows> {
  const known = given ?? (alone ? knownRows(occurrences, doubts) : undefined);
  const hasLinks = occurrences.some((occurrence) => 'links' in occurrence);
  return known !== undefined && !hasLinks
    ? { rows: known, doubts, related: NONE, linked: NONE }
    : readNeeded(occurrences, manager, known, doubts);
}

async function readNeeded(
  occurrences: readonly Occurrence[],
  manager: EntityManager,
  known: Rows | undefined,
  doubts: Doubts,
): Promise<NeededRows> {
  const rows = known ?? (await readAll(manager, occurrences, doubts));
  return {
    rows,
    doubts,
    related: await readRelated(manager, occurrences),
    linked: await readLinked(manager, occurrences),
  };
}

/** A row that was truly removed is known from its old values alone. */
function mustBeRead(occurrence: Occurrence, doubts: Doubts): boolean {
  const { event, kind } = occurrence;
  if ('links' in occurrence) {
    return event.needsRow || doubts.concern(occurrence.links.plan.entity, kind);
  }
  const { net } = occurrence;
  return (
    net.now.there &&
    (event.needsRow ||
      doubts.concern(net.plan, kind) ||
      (kind === 'change' && isChangedByValues(net, event) === undefined))
  );
}

/** The rows that occurrences need; undefined when they have to be read. */
function knownRows(occurrences: readonly Occurrence[], doubts: Doubts): Rows | undefined {
  const needing = new Map<NetChange, EventPlan[]>();
  for (const occurrence of occurrences) {
    if (!mustBeRead(occurrence, doubts)) continue;
    if ('links' in occurrence) return undefined;
    const { net, event } = occurrence;
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
  occurrences: readonly Occurrence[],
  doubts: Doubts,
): Promise<Rows> {
  const wanted = new Map<EntityMetadata, WantedRows>();
  for (const occurrence of occurrences) {
    if (!mustBeRead(occurrence, doubts)) continue;
    const { key, id } = 'links' in occurrence ? occurrence.links : occurrence.net;
    const { metadata } = 'links' in occurrence ? occurrence.links.plan.entity : occurrence.net.plan;
    const of: WantedRows = wanted.get(metadata) ?? { ids: new Map(), joins: [], hidden: new Set() };
    of.ids.set(key, id);
    of.joins.push(...occurrence.event.joins);
    for (const path of occurrence.event.hidden) of.hidden.add(path);
    wanted.set(metadata, of);
  }
  const rows = new Map<EntityMetadata, ReadonlyMap<string, ObjectLiteral>>();
  for (const [metadata, { ids, joins, hidden }] of wanted) {
    rows.set(
      metadata,
      await readRows(manager, {
        metadata,
        ids: [...ids.values()],
        joins: joinsOf(joins),
        hidden: [...hidden],
      }),
    );
  }
  return rows;
}

async function readRelated(
  manager: EntityManager,
  occurrences: readonly Occurrence[],
): Promise<Rows> {
  const wanted = new Map<EntityMetadata, Map<string, ObjectLiteral>>();
  for (const occurrence of occurrences) {
    if (!('links' in occurrence) || occurrence.event.options.payload === undefined) continue;
    const metadata = occurrence.links.plan.relation.inverseEntityMetadata;
    const ids = wanted.get(metadata) ?? new Map<string, ObjectLiteral>();
    for (const [key, id] of linksOf(occurrence.kind, occurrence.links)) {
      if (!occurrence.links.gone.has(key) && rowKey(metadata, id) !== undefined) ids.set(key, id);
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
  occurrences: readonly Occurrence[],
): Promise<ReadonlyMap<RelationMetadata, ReadonlySet<string>>> {
  const wanted = new Map<RelationMetadata, NetLinks[]>();
  for (const occurrence of occurrences) {
    if (occurrence.kind !== 'cleared') continue;
    const { relation } = occurrence.links.plan;
    wanted.set(relation, [...(wanted.get(relation) ?? []), occurrence.links]);
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
