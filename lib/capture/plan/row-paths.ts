import type { FieldKind } from '../../event/index.js';
import { type Column, ownColumns, type Relation, type RowTable } from '../table/row-table.js';

/** The way of a dotted path through a table's relations. */
export interface PathSurvey {
  /** The relations on the way, as paths from the row. */
  readonly joins: readonly string[];
  readonly relations: readonly Relation[];
  /** The part after the last relation; empty when the path ends there. */
  readonly rest: string;
  /** The whole path, when it ends at a hidden column. */
  readonly hidden: string | undefined;
}

/** Follows a path. A segment that is not a relation belongs to a column, an embedded object or a JSON value; those need no join. */
export function surveyPath(path: string, from: RowTable): PathSurvey {
  const joins: string[] = [];
  const relations: Relation[] = [];
  const segments = path.split('.');
  let table = from;
  let start = 0;
  for (let end = 1; end <= segments.length; end += 1) {
    const relation = relationAt(segments.slice(start, end).join('.'), table);
    if (relation === undefined) continue;
    joins.push(segments.slice(0, end).join('.'));
    relations.push(relation);
    table = relation.target;
    start = end;
  }
  const rest = segments.slice(start).join('.');
  const column = table.columns.find(({ path: own, isHidden }) => isHidden && isWithin(rest, own));
  const hidden = column === undefined ? undefined : [...joins.slice(-1), column.path].join('.');
  return { joins, relations, rest, hidden };
}

/** The relation at a path that goes through no other. */
export function relationAt(path: string, { relations }: RowTable): Relation | undefined {
  return relations.find((relation) => relation.path === path);
}

/** True for the path of the field itself, and for paths below it. */
export function isWithin(path: string, field: string): boolean {
  return path === field || path.startsWith(`${field}.`);
}

/** The fields below a path, for error texts; the row's own ones below the empty path. */
export function fieldNames(path: string, from: RowTable): readonly string[] {
  const { relations, rest } = path === '' ? { relations: [], rest: '' } : surveyPath(path, from);
  const table = relations.at(-1)?.target ?? from;
  const prefix = rest === '' ? '' : `${rest}.`;
  const paths = [...ownColumns(table), ...table.relations]
    .map((field) => field.path)
    .filter((field) => field.startsWith(prefix));
  return [...new Set(paths.map((found) => found.slice(prefix.length).split('.')[0]!))];
}

/** The kind of the field at a path, for conditions; undefined when rows have no such field. */
export function fieldKind(path: string, from: RowTable): FieldKind | undefined {
  const { joins, relations, rest } = surveyPath(path, from);
  if (rest === '') return joins.length > 0 ? 'nested' : undefined;
  const table = relations.at(-1)?.target ?? from;
  if (table.embedded.includes(rest)) return 'nested';
  const column = table.columns.find((one) => isWithin(rest, one.path));
  if (column === undefined) return table.computed.includes(rest) ? 'open' : undefined;
  return column.path === rest ? columnKind(column) : 'open';
}

export function columnKind(column: Column): FieldKind {
  return isDocument(column) ? 'open' : isNumberType(column.type) ? 'number' : 'value';
}

/** True for the type of a column that holds numbers. */
export function isNumberType(type: string): boolean {
  return NUMBER.test(type);
}

function isDocument({ type, isArray, toDatabase }: Column): boolean {
  const isText = !['json', 'jsonb', 'simple-json', 'simple-array'].includes(type);
  return isArray || toDatabase !== undefined || !isText;
}

const NUMBER =
  /^(?:tiny|small|medium|big)?int(?:eger|\d)?$|^(?:decimal|dec|numeric|number|fixed|float\d?|double(?: precision)?|real|money)$/;

/** Tells whether a path can be read from an old row that has the keys of its relations alone. */
export function onlyOwnKeys({ relations, rest }: PathSurvey): boolean {
  const [relation, ...further] = relations;
  if (relation === undefined) return true;
  return further.length === 0 && relation.key.some(({ path }) => path === rest);
}

/** The relations that rows are always read with, as paths from the row. */
export function eagerRelations({ relations }: RowTable, prefix = ''): string[] {
  return relations
    .filter(({ isEager }) => isEager)
    .flatMap((relation) => {
      const path = `${prefix}${relation.path}`;
      return [path, ...eagerRelations(relation.target, `${path}.`)];
    });
}

/** The relations on a path, and the relations that are always read with each of them. */
export function withEagerRelations({ joins, relations }: PathSurvey): string[] {
  return relations.flatMap((relation, index) => [
    joins[index]!,
    ...eagerRelations(relation.target, `${joins[index]!}.`),
  ]);
}

/** The columns and relations to read of a row, besides the columns that are selected by default. */
export interface BesideColumns {
  /** Paths of relations. */
  readonly joins: readonly string[];
  /** Paths of columns. */
  readonly hidden: readonly string[];
}

/** The columns and relations that several events ask for together, relations in an order in which they can be joined. */
export function besideColumns(events: readonly BesideColumns[]): BesideColumns {
  return {
    joins: joinsOf(events.flatMap(({ joins }) => joins)),
    hidden: [...new Set(events.flatMap(({ hidden }) => hidden))],
  };
}

/** Returns each path once, after the paths that lead to it. */
export function joinsOf(paths: readonly string[]): string[] {
  return [...new Set(paths)].sort(
    (one, other) => one.split('.').length - other.split('.').length || one.localeCompare(other),
  );
}
