import type { EntityChange } from '../../event/event-settings.js';
import type { DueEvent } from '../changes/due-events.js';
import type { NeededRows } from './needed-rows.js';
import { linksOf, type NetChange, type NetLinks } from '../changes/net-change.js';
import { changedFields, isReported, writtenFields } from '../changes/change-detection.js';
import { changedNames, changesOf } from './entity-changes.js';
import { copyRow, layOver, withoutRelations } from '../table/row-copy.js';
import type { Row } from '../table/row-table.js';

/** A message's row and what its payload is told besides. */
export interface Subject {
  readonly row: Row;
  /** The row that transitions compare with; null when there was none. */
  readonly before: Row | null;
  readonly change: EntityChange<Row>;
  /** The names of the fields that have changed. Default: the change is not one of fields. */
  readonly changed?: readonly string[];
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
  const read = rows.get(net.plan.table)?.get(net.key);
  if (unseen?.haveUndone(dueEvent, read) === true) return NONE;
  // Something that no hook tells of (a cascade, SQL by hand) has removed what this transaction had created.
  if (kind === 'create' && event.needsRow && read === undefined) return NONE;
  const changed = kind === 'change' ? changedFields(net, read, event) : NONE;
  if (kind === 'change' && !isReported(changed, event)) return NONE;
  const row = read ?? lastKnown(kind, net);
  const before = kind === 'create' || net.before === undefined ? null : beforeOf(net, row);
  const changes =
    before === null || changed === undefined || changed.length === 0
      ? NO_CHANGES
      : changesOf(changed, { net, before, row, event });
  const made = subject(row, before, { on: kind, changes, ids: NONE, related: NONE });
  if (kind !== 'change') return [made];
  // Of a row that was not read before its change, only the written columns are known.
  const isKnown = before !== null && changed !== undefined;
  const names = isKnown ? Object.keys(changes) : changedNames(writtenFields(net, event), net);
  return [{ ...made, changed: names }];
}

function subject(
  row: object,
  before: object | null,
  change: Omit<Subject['change'], 'before'>,
): Subject {
  const old = before as Row | null;
  return { row: row as Row, before: old, change: { ...change, before: old } };
}

function lastKnown(kind: 'create' | 'change' | 'delete', net: NetChange): object {
  const { table } = net.plan;
  if (kind === 'delete') {
    const { last, lastIsComplete } = net;
    if (last === undefined) return net.id;
    const isWhole = lastIsComplete || table.relations.length === 0;
    return isWhole ? last : withoutRelations(last, table);
  }
  return net.before === undefined ? net.id : layOver(net.before, net.changed.values(), table);
}

/** The row before the transaction; a relation that was not loaded because nothing touched it is the same as now. */
function beforeOf({ before, beforeIsComplete, changed, plan }: NetChange, row: object): object {
  if (beforeIsComplete || before === undefined) return before ?? row;
  const unchanged = plan.table.relations.filter(
    (relation) => !changed.has(relation) && relation.get(row) !== undefined,
  );
  if (unchanged.length === 0) return before;
  const copy = copyRow(before, plan.table);
  for (const relation of unchanged) relation.set(copy, relation.get(row));
  return copy;
}

/** A row at the other end of a link that has gone with it, as it was. */
function goneRow(key: string, { gone, plan: { relation } }: NetLinks): object | undefined {
  const row = gone.get(key);
  return row && withoutRelations(row, relation.target);
}

function linkSubjects(
  dueEvent: Extract<DueEvent, { readonly links: NetLinks }>,
  { rows, unseen, related, linked }: NeededRows,
): Subject[] {
  const { kind, event, links, net } = dueEvent;
  const { entity, relation } = links.plan;
  if (kind === 'cleared' && linked.get(relation)?.has(links.key) === true) return [];
  const read = rows.get(entity.table)?.get(links.key);
  if (event.needsRow && read === undefined) return [];
  if (unseen?.haveUndone(dueEvent, read) === true) return [];
  const row = read ?? links.id;
  const before = net === undefined ? row : net.before === undefined ? null : beforeOf(net, row);
  const found = related.get(relation.target);
  const all = [...linksOf(kind, links)];
  const { on } = event.options;
  const groups = typeof on === 'object' && on.each === true ? all.map((link) => [link]) : [all];
  return groups.map((group) =>
    subject(row, before, {
      on: kind,
      changes: {},
      // A removed row may be known only by the key that its link names.
      ids: group.map(([, id]) => relation.target.idOf(id) ?? id),
      related: group.flatMap(([key]) => found?.get(key) ?? goneRow(key, links) ?? []),
    }),
  );
}
