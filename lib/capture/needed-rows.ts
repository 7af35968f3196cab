import type { EntityManager, EntityMetadata, ObjectLiteral, RelationMetadata } from 'typeorm';
import type { Occurrence } from './collected.js';
import { joinsOf } from './entity-paths.js';
import { differs, linksOf, type NetLinks } from './net-change.js';
import { rowsWithLinks } from './remaining-links.js';
import { readRows } from './row-reader.js';

/** Rows by their class and key. */
export type Rows = ReadonlyMap<EntityMetadata, ReadonlyMap<string, ObjectLiteral>>;

/** Keys of the rows that still have links of a relation. */
export type LinkedRows = ReadonlyMap<RelationMetadata, ReadonlySet<string>>;

interface WantedRows {
  readonly ids: Map<string, ObjectLiteral>;
  readonly joins: string[];
  readonly hidden: Set<string>;
}

/** Saves a query where the values that were set tell already that nothing has changed. */
export function mayBeReal(occurrence: Occurrence): boolean {
  return (
    occurrence.kind !== 'change' || occurrence.net.replaced || differs(occurrence.net, undefined)
  );
}

/** A row that was truly removed is known from its old values alone. */
function mustBeRead({ event, ...occurrence }: Occurrence): boolean {
  if ('links' in occurrence) return event.needsRow;
  const { kind, net } = occurrence;
  return net.now.there && (event.needsRow || (kind === 'change' && net.replaced));
}

export async function readAll(
  manager: EntityManager,
  occurrences: readonly Occurrence[],
): Promise<Rows> {
  const wanted = new Map<EntityMetadata, WantedRows>();
  for (const occurrence of occurrences) {
    if (!mustBeRead(occurrence)) continue;
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

export async function readRelated(
  manager: EntityManager,
  occurrences: readonly Occurrence[],
): Promise<Rows> {
  const wanted = new Map<EntityMetadata, Map<string, ObjectLiteral>>();
  for (const occurrence of occurrences) {
    if (!('links' in occurrence) || occurrence.event.options.payload === undefined) continue;
    const metadata = occurrence.links.plan.relation.inverseEntityMetadata;
    const ids = wanted.get(metadata) ?? new Map<string, ObjectLiteral>();
    for (const [key, id] of linksOf(occurrence.kind, occurrence.links)) ids.set(key, id);
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
export async function readLinked(
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
