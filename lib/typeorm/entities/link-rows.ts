import type { EntityManager, EntityMetadata, ObjectLiteral } from 'typeorm';
import { linkColumns, linkEnd, linkedId } from '../rows/junction-rows.js';
import { type Column, entityRowKey } from '../rows/columns.js';
import type { LinkChange } from '../../capture/changes/row-change.js';
import { metadataOf, relationOf } from './entity-table.js';
import { tableRowKey } from '../../capture/table/row-key.js';
import type { LinkPlan } from './entity-plan.js';

/** One of the two rows that a link connects. */
interface End {
  readonly metadata: EntityMetadata;
  readonly columns: readonly Column[];
  readonly id: ObjectLiteral;
}

const ROW = 'thorn_row';
const ROWS_PER_QUERY = 500;

/**
 * Reads the primary keys of rows that links name by other columns, as with `referencedColumnName` of a `@JoinTable`. A link
 * whose own row is gone is left out: its removal says it all.
 */
export function identifyLinks<Item extends LinkChange | { readonly type: 'row' | 'message' }>(
  items: readonly Item[],
  manager: EntityManager,
): readonly Item[] | Promise<readonly Item[]> {
  const links = items.filter((item) => item.type === 'link') as LinkChange[];
  const unknown = links.flatMap(endsOf).filter(isUnknown);
  return unknown.length === 0 ? items : identify(items, unknown, manager);
}

/** The changes of links to rows that are about to be removed, whose keys the links themselves may not tell. */
export function linksToRemoved(
  changes: readonly LinkChange[],
  rows: readonly ObjectLiteral[],
): readonly LinkChange[] {
  const known = new Map<string, ObjectLiteral>();
  return changes.map((change) => {
    const related = endsOf(change)[1];
    if (!isUnknown(related)) return change;
    if (known.size === 0) for (const row of rows) known.set(linkEnd(related.columns, row), row);
    const row = known.get(linkEnd(related.columns, related.id));
    return row === undefined ? change : { ...change, ...relatedTo(row, related), removed: row };
  });
}

async function identify<Item extends { readonly type: string }>(
  items: readonly Item[],
  ends: readonly End[],
  manager: EntityManager,
): Promise<readonly Item[]> {
  const found = new Map<string, ObjectLiteral>();
  const wanted = new Map(ends.map((end) => [endOf(end), end]));
  for (const metadata of new Set(ends.map((end) => end.metadata))) {
    const ofClass = [...wanted.values()].filter((end) => end.metadata === metadata);
    for (let start = 0; start < ofClass.length; start += ROWS_PER_QUERY) {
      const page = ofClass.slice(start, start + ROWS_PER_QUERY);
      const named = new Set(page.map(({ columns }) => columns));
      for (const row of await rowsNamed(page, manager)) {
        for (const columns of named) found.set(endOf({ metadata, columns, id: row }), row);
      }
    }
  }
  return items.flatMap((item) => {
    if (item.type !== 'link') return [item];
    const link = item as unknown as LinkChange;
    const [own, related] = endsOf(link);
    const row = isUnknown(own) ? found.get(endOf(own)) : own.id;
    if (row === undefined) return [];
    const other = isUnknown(related) ? found.get(endOf(related)) : undefined;
    return [
      {
        ...item,
        id: row,
        key: entityRowKey(own.metadata, row)!,
        ...(other && relatedTo(other, related)),
      },
    ];
  });
}

function rowsNamed(ends: readonly End[], manager: EntityManager): Promise<ObjectLiteral[]> {
  const { metadata } = ends[0]!;
  const columns = ends.flatMap((end) => end.columns.map((column) => column.referencedColumn!));
  const paths = [...metadata.primaryColumns, ...columns].map(({ propertyPath }) => propertyPath);
  return manager
    .createQueryBuilder<ObjectLiteral>(metadata.target, ROW)
    .select([...new Set(paths)].map((path) => `${ROW}.${path}`))
    .withDeleted()
    .where(ends.map(({ id }) => id))
    .getMany();
}

function relatedTo(row: ObjectLiteral, { metadata }: End) {
  return { relatedId: row, relatedKey: entityRowKey(metadata, row)! };
}

function endsOf({ plan: { entity, relation }, id, relatedId }: LinkChange): readonly [End, End] {
  const { own, related } = linkColumns(relationOf(relation));
  return [
    { metadata: metadataOf(entity.table), columns: own, id },
    { metadata: metadataOf(relation.target), columns: related, id: relatedId },
  ];
}

function isUnknown({ metadata, id }: End): boolean {
  return entityRowKey(metadata, id) === undefined;
}

function endOf({ metadata, columns, id }: End): string {
  return `${metadata.name} ${linkEnd(columns, id)}`;
}

/**
 * A row of a junction table that was added or removed; undefined when it names only one of its two ends.
 *
 * @param removed finds the row at the other end by its key, if that is being removed. Default: it is not
 */
export function linkChange(
  plan: LinkPlan,
  did: LinkChange['did'],
  link: ObjectLiteral,
  removed?: (key: string) => ObjectLiteral | undefined,
): LinkChange | undefined {
  const { own, related } = linkColumns(plan.relation.metadata);
  const [id, relatedId] = [linkedId(own, link), linkedId(related, link)];
  if (id === undefined || relatedId === undefined) return undefined;
  // A link may name its rows by other columns than their primary keys. Then the JSON of these columns stands in the place of
  // a key until `identifyLinks` reads the rows before the commit, or `linksToRemoved` takes the keys of the removed rows.
  const relatedKey = tableRowKey(plan.relation.target, relatedId) ?? JSON.stringify(relatedId);
  return {
    type: 'link',
    did,
    plan,
    key: tableRowKey(plan.entity.table, id) ?? JSON.stringify(id),
    id,
    relatedKey,
    relatedId,
    removed: removed?.(relatedKey),
  };
}
