import type { ObjectLiteral } from 'typeorm';
import type { EntityChange } from '../../event/event-settings.js';
import type { DueEvent } from '../changes/due-events.js';
import type { NeededRows } from './row-loader.js';
import { linksOf, type NetChange, type NetLinks } from '../changes/net-change.js';
import { changedFields, isReported } from '../changes/change-detection.js';
import { changesOf } from './entity-changes.js';
import { copyRow, layOver, setValue, withoutRelations } from '../rows/row-copy.js';

/** A message's row and what its payload is told besides. */
export interface Subject {
  readonly row: ObjectLiteral;
  /** The row that transitions compare with; null when there was none. */
  readonly before: ObjectLiteral | null;
  readonly change: EntityChange<ObjectLiteral>;
}

const NONE: readonly never[] = Object.freeze([]);
const NO_CHANGES = Object.freeze({});

/** The rows that messages are made from; none when nothing has really changed. */
export function subjectsOf(dueEvent: DueEvent, needed: NeededRows): readonly Subject[] {
  return 'links' in dueEvent ? linkSubjects(dueEvent, needed) : rowSubjects(dueEvent, needed);
}

function rowSubjects(
  dueEvent: Extract<DueEvent, { readonly kind: 'create' | 'change' | 'delete' }>,
  { rows, unseen }: NeededRows,
): readonly Subject[] {
  const { kind, event, net } = dueEvent;
  const { metadata } = net.plan;
  const read = rows.get(metadata)?.get(net.key);
  if (unseen.haveUndone(dueEvent, read)) return NONE;
  // Something that no hook tells of (a cascade, SQL by hand) has removed what this transaction had created.
  if (kind === 'create' && event.needsRow && read === undefined) return NONE;
  const changed = kind === 'change' ? changedFields(net, read, event) : NONE;
  if (kind === 'change' && !isReported(changed, event)) return NONE;
  const row = read ?? lastKnown(kind, net);
  const before = kind === 'create' || net.old === undefined ? null : beforeOf(net, row);
  const changes =
    before === null || changed === undefined || changed.length === 0
      ? NO_CHANGES
      : changesOf(changed, { net, before, row, event });
  return [{ row, before, change: { on: kind, before, changes, ids: NONE, related: NONE } }];
}

function lastKnown(kind: 'create' | 'change' | 'delete', net: NetChange): ObjectLiteral {
  const { metadata } = net.plan;
  if (kind === 'delete') {
    const { last, lastIsComplete } = net;
    if (last === undefined) return net.id;
    const isWhole = lastIsComplete || metadata.relations.length === 0;
    return isWhole ? last : withoutRelations(last, metadata);
  }
  return net.old === undefined ? net.id : layOver(net.old, net.values.values(), metadata);
}

/** The row before the transaction; a relation that was not loaded because nothing touched it is the same as now. */
function beforeOf(net: NetChange, row: ObjectLiteral): ObjectLiteral {
  const { old, oldIsComplete, values, plan } = net;
  if (oldIsComplete || old === undefined) return old ?? row;
  const unchanged = plan.metadata.relations.filter(
    (relation) => !values.has(relation) && relation.getEntityValue(row) !== undefined,
  );
  if (unchanged.length === 0) return old;
  const before = copyRow(old, plan.metadata);
  for (const relation of unchanged) setValue(before, relation, relation.getEntityValue(row));
  return before;
}

/** A row at the other end of a link that has gone with it, as it was. */
function goneRow(key: string, { gone, plan: { relation } }: NetLinks): ObjectLiteral | undefined {
  const row = gone.get(key);
  return row && withoutRelations(row, relation.inverseEntityMetadata);
}

function linkSubjects(
  dueEvent: Extract<DueEvent, { readonly links: NetLinks }>,
  { rows, unseen, related, linked }: NeededRows,
): Subject[] {
  const { kind, event, links, net } = dueEvent;
  const { entity, relation } = links.plan;
  if (kind === 'cleared' && linked.get(relation)?.has(links.key) === true) return [];
  const read = rows.get(entity.metadata)?.get(links.key);
  if (event.needsRow && read === undefined) return [];
  if (unseen.haveUndone(dueEvent, read)) return [];
  const row = read ?? links.id;
  const before = net === undefined ? row : net.old === undefined ? null : beforeOf(net, row);
  const found = related.get(relation.inverseEntityMetadata);
  const all = [...linksOf(kind, links)];
  const { on } = event.options;
  const groups = typeof on === 'object' && on.each === true ? all.map((link) => [link]) : [all];
  return groups.map((group) => ({
    row,
    before,
    change: {
      on: kind,
      before,
      changes: {},
      // A row that is gone may be known by what its link named of it alone.
      ids: group.map(
        ([, id]) => (relation.inverseEntityMetadata.getEntityIdMixedMap(id) as unknown) ?? id,
      ),
      related: group.flatMap(([key]) => found?.get(key) ?? goneRow(key, links) ?? []),
    },
  }));
}
