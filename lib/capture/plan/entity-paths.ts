import type { EntityMetadata } from 'typeorm';
import type { Column } from '../rows/row-key.js';
import type { FieldKind } from '../../event/index.js';
import type { RelationMetadata } from '../rows/typeorm-types.js';

/** The way of a dotted path through an entity's relations. */
export interface PathSurvey {
  /** The relations on the way, as paths from the entity. */
  readonly joins: readonly string[];
  readonly relations: readonly RelationMetadata[];
  /** The part after the last relation; empty when the path ends there. */
  readonly rest: string;
  /** The whole path, when it ends at a column that TypeORM does not select by itself. */
  readonly hidden: string | undefined;
}

/** Follows a path. A segment that is not a relation belongs to a column, an embedded object or a JSON value; those need no join. */
export function surveyPath(path: string, entity: EntityMetadata): PathSurvey {
  const joins: string[] = [];
  const relations: RelationMetadata[] = [];
  const segments = path.split('.');
  let metadata = entity;
  let start = 0;
  for (let end = 1; end <= segments.length; end += 1) {
    const relation = metadata.findRelationWithPropertyPath(segments.slice(start, end).join('.'));
    if (relation === undefined) continue;
    joins.push(segments.slice(0, end).join('.'));
    relations.push(relation);
    metadata = relation.inverseEntityMetadata;
    start = end;
  }
  const rest = segments.slice(start).join('.');
  const column = metadata.columns.find(
    ({ propertyPath, isSelect }) =>
      !isSelect && (rest === propertyPath || rest.startsWith(`${propertyPath}.`)),
  );
  const hidden =
    column === undefined ? undefined : [...joins.slice(-1), column.propertyPath].join('.');
  return { joins, relations, rest, hidden };
}

/** The fields below a path, for error texts; the entity's own ones below the empty path. */
export function fieldNames(path: string, entity: EntityMetadata): readonly string[] {
  const { relations, rest } = path === '' ? { relations: [], rest: '' } : surveyPath(path, entity);
  const metadata = relations.at(-1)?.inverseEntityMetadata ?? entity;
  const prefix = rest === '' ? '' : `${rest}.`;
  const paths = [...metadata.columns.filter(({ isVirtual }) => !isVirtual), ...metadata.relations]
    .map(({ propertyPath }) => propertyPath)
    .filter((propertyPath) => propertyPath.startsWith(prefix));
  return [...new Set(paths.map((found) => found.slice(prefix.length).split('.')[0]!))];
}

/** The kind of field at a path, for conditions; undefined when TypeORM does not fill such a property. */
export function fieldKind(path: string, entity: EntityMetadata): FieldKind | undefined {
  const { joins, relations, rest } = surveyPath(path, entity);
  if (rest === '') return joins.length > 0 ? 'nested' : undefined;
  const metadata = relations.at(-1)?.inverseEntityMetadata ?? entity;
  if (metadata.findEmbeddedWithPropertyPath(rest) !== undefined) return 'nested';
  const column = metadata.columns.find(
    ({ propertyPath }) => rest === propertyPath || rest.startsWith(`${propertyPath}.`),
  );
  if (column === undefined) {
    return metadata.relationIds.some(({ propertyName }) => propertyName === rest)
      ? 'open'
      : undefined;
  }
  return column.propertyPath !== rest ? 'open' : columnKind(column);
}

export function columnKind(column: Column): FieldKind {
  return isDocument(column) ? 'open' : isNumber(column) ? 'number' : 'value';
}

function isDocument({ type, isArray, transformer }: Column): boolean {
  return (
    isArray ||
    transformer !== undefined ||
    ['json', 'jsonb', 'simple-json', 'simple-array'].includes(String(type))
  );
}

function isNumber({ type }: Column): boolean {
  return (
    type === Number ||
    /^(?:tiny|small|medium|big)?int(?:eger|\d)?$|^(?:decimal|dec|numeric|number|fixed|float\d?|double(?: precision)?|real|money)$/.test(
      String(type),
    )
  );
}

/** Tells whether a path can be read from an old row as TypeORM loads it: own columns, or the key that a relation's column holds. */
export function onlyOwnKeys({ relations, rest }: PathSurvey): boolean {
  const [relation, ...further] = relations;
  if (relation === undefined) return true;
  return (
    further.length === 0 &&
    relation.isOwning &&
    !relation.isManyToMany &&
    relation.joinColumns.some(({ referencedColumn }) => referencedColumn?.propertyPath === rest)
  );
}

/** The relations that TypeORM loads with every `find`, as paths from the entity. */
export function eagerRelations(metadata: EntityMetadata, prefix = ''): string[] {
  return metadata.eagerRelations.flatMap((relation) => {
    const path = `${prefix}${relation.propertyPath}`;
    return [path, ...eagerRelations(relation.inverseEntityMetadata, `${path}.`)];
  });
}

/** The relations on a path, and those that TypeORM loads with each of them. */
export function withEagerRelations({ joins, relations }: PathSurvey): string[] {
  return relations.flatMap((relation, index) => [
    joins[index]!,
    ...eagerRelations(relation.inverseEntityMetadata, `${joins[index]!}.`),
  ]);
}

/** What is read of a row besides the columns that are selected by default. */
export interface BesideColumns {
  /** Paths of relations. */
  readonly joins: readonly string[];
  /** Paths of columns. */
  readonly hidden: readonly string[];
}

/** What all of some events ask for, its relations in an order in which they can be joined. */
export function besideColumns(events: readonly BesideColumns[]): BesideColumns {
  return {
    joins: joinsOf(events.flatMap(({ joins }) => joins)),
    hidden: [...new Set(events.flatMap(({ hidden }) => hidden))],
  };
}

/** Each path once, every one after those that it goes through. */
export function joinsOf(paths: readonly string[]): string[] {
  return [...new Set(paths)].sort(
    (one, other) => one.split('.').length - other.split('.').length || one.localeCompare(other),
  );
}
