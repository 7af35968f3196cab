import { type EntityManager, type ObjectLiteral, type SelectQueryBuilder, Brackets } from 'typeorm';
import { type Column, keyPart, entityRowKey, type RelationMetadata } from './columns.js';
import { lockRemoved } from './row-lock.js';

/**
 * The columns of a junction table that hold the key of the row at this end of a relation, and of the row at the other
 * end.
 */
export function linkColumns(relation: RelationMetadata): {
  readonly own: readonly Column[];
  readonly related: readonly Column[];
} {
  const { ownerColumns, inverseColumns } = relation.junctionEntityMetadata!;
  return relation.isOwning
    ? { own: ownerColumns, related: inverseColumns }
    : { own: inverseColumns, related: ownerColumns };
}

/** The id that a junction's row names through `columns`. Undefined when a part is missing. */
export function linkedId(
  columns: readonly Column[],
  link: ObjectLiteral,
): ObjectLiteral | undefined {
  const id: ObjectLiteral = {};
  for (const column of columns) {
    const value: unknown = column.getEntityValue(link);
    if (value === undefined || value === null) return undefined;
    column.referencedColumn!.setEntityValue(id, value);
  }
  return id;
}

/** A text that is equal for the ids, or rows, that a junction's `columns` refer to alike. */
export function linkEnd(columns: readonly Column[], id: ObjectLiteral): string {
  return JSON.stringify(
    columns.map(({ referencedColumn }) => {
      const value: unknown = referencedColumn!.getEntityValue(id);
      return value === undefined || value === null ? null : keyPart(value, referencedColumn!);
    }),
  );
}

/** Finds the rows that have at least one link of the relation left, by {@link entityRowKey}, with one query. */
export async function rowsWithLinks(
  manager: EntityManager,
  relation: RelationMetadata,
  ids: readonly ObjectLiteral[],
): Promise<ReadonlySet<string>> {
  const { own } = linkColumns(relation);
  const metadata = relation.entityMetadata;
  const links = await linksQuery(manager, relation, { select: own, by: own, ids })
    .distinct()
    .getRawMany();
  const keys = new Map(ids.map((id) => [linkEnd(own, id), entityRowKey(metadata, id)!]));
  return new Set(
    links.map((raw: ObjectLiteral) => keys.get(linkEnd(own, linkedId(own, linkOf(raw, own))!))!),
  );
}

/** The links of a relation to some rows at its other end, which are about to be removed: rows of its junction table. */
export async function linksTo(
  manager: EntityManager,
  relation: RelationMetadata,
  ids: readonly ObjectLiteral[],
  limit: number,
): Promise<ObjectLiteral[]> {
  const { own, related } = linkColumns(relation);
  const select = [...own, ...related];
  const query = linksQuery(manager, relation, { select, by: related, ids });
  const links = await lockRemoved(query.limit(limit), manager).getRawMany();
  return links.map((raw: ObjectLiteral) => linkOf(raw, select));
}

function linksQuery(
  manager: EntityManager,
  { junctionEntityMetadata }: RelationMetadata,
  {
    select,
    by,
    ids,
  }: {
    readonly select: readonly Column[];
    readonly by: readonly Column[];
    readonly ids: readonly ObjectLiteral[];
  },
): SelectQueryBuilder<ObjectLiteral> {
  const query = manager.createQueryBuilder<ObjectLiteral>(
    junctionEntityMetadata!.tableName,
    'junction',
  );
  query.select([]);
  select.forEach((column, index) => {
    query.addSelect(`junction.${column.propertyPath}`, `key${index}`);
  });
  return query.where(
    anyOf(
      by.map(({ propertyPath }) => `junction.${propertyPath}`),
      ids.map((id) => by.map((column) => column.referencedColumn!.getEntityValue(id) as unknown)),
    ),
  );
}

function linkOf(raw: ObjectLiteral, columns: readonly Column[]): ObjectLiteral {
  const link: ObjectLiteral = {};
  columns.forEach((column, index) => {
    column.setEntityValue(link, raw[`key${index}`]);
  });
  return link;
}

/** A condition that holds where some columns have one of several combinations of values. */
function anyOf(
  columns: readonly string[],
  combinations: readonly (readonly unknown[])[],
): Brackets {
  return new Brackets((where) => {
    combinations.forEach((values, index) => {
      const parameters = values.map((value, part) => [`thorn_${index}_${part}`, value] as const);
      const equal = parameters.map(([name], part) => `${columns[part]!} = :${name}`);
      where.orWhere(`(${equal.join(' AND ')})`, Object.fromEntries(parameters));
    });
  });
}
