import { Brackets, type EntityManager, type ObjectLiteral } from 'typeorm';
import { type Column, rowKey } from './row-key.js';
import type { RelationMetadata } from './typeorm-types.js';

/** The columns of a junction table that name the row at this end of a relation, and the one at the other. */
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

/** Finds the rows that have at least one link of the relation left, by {@link rowKey}, in one query. */
export async function rowsWithLinks(
  manager: EntityManager,
  relation: RelationMetadata,
  ids: readonly ObjectLiteral[],
): Promise<ReadonlySet<string>> {
  const junction = relation.junctionEntityMetadata!;
  const { own } = linkColumns(relation);
  const query = manager
    .createQueryBuilder<ObjectLiteral>(junction.tableName, 'junction')
    .distinct();
  query.select([]);
  own.forEach((column, index) => {
    query.addSelect(`junction.${column.propertyPath}`, `key${index}`);
  });
  query.where(
    new Brackets((where) => {
      ids.forEach((id, row) => {
        const parameters: ObjectLiteral = {};
        const equal = own.map((column, index) => {
          const name = `row${row}_${index}`;
          parameters[name] = column.referencedColumn!.getEntityValue(id);
          return `junction.${column.propertyPath} = :${name}`;
        });
        where.orWhere(`(${equal.join(' AND ')})`, parameters);
      });
    }),
  );
  const found = await query.getRawMany<ObjectLiteral>();
  return new Set(
    found.map((raw) => {
      const id: ObjectLiteral = {};
      own.forEach((column, index) => {
        column.referencedColumn!.setEntityValue(id, raw[`key${index}`]);
      });
      return rowKey(own[0]!.referencedColumn!.entityMetadata, id)!;
    }),
  );
}
