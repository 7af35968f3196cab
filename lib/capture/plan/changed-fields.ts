import { shownNames } from '../../common/log.js';
import { ThornConfigurationError } from '../../errors/index.js';
import type { FieldKind } from '../../event/index.js';
import {
  type Field,
  isRelation,
  keyedRelations,
  ownColumns,
  propertyOf,
  type RowTable,
  withItsKey,
} from '../table/row-table.js';
import { concealedNames } from './hidden-columns.js';
import { columnKind, fieldKind, fieldNames, relationAt } from './row-paths.js';

/** The row's property of a condition that stands for the changed fields. */
const CHANGES = 'changes';

/**
 * The columns and relations whose change an event reacts to; undefined when any will do.
 *
 * @throws {@link ThornConfigurationError} when it names a field that the row does not hold
 */
export function watchedFields(
  { name, fields }: { readonly name: string; readonly fields: readonly string[] | undefined },
  table: RowTable,
): ReadonlySet<Field> | undefined {
  return fields && new Set(fields.flatMap((field) => fieldsOf(field, name, table)));
}

/** The hidden columns among some fields, as paths. */
export function hiddenFields(fields: ReadonlySet<Field> | undefined): string[] {
  return [...(fields ?? [])].filter(isHidden).map(({ path }) => path);
}

/** The properties of a row that may be among its changed fields. */
export function changeableNames(table: RowTable): string[] {
  const fields = [
    ...ownColumns(table).filter(({ isHidden: isUnread }) => !isUnread),
    ...keyedRelations(table),
  ];
  const concealed = concealedNames(table);
  return [...new Set(fields.map(propertyOf))].filter((name) => !concealed.has(name));
}

/** The kind of field at a path that leads through a condition's `changes`; undefined when it does not. */
export function changeKind(path: string, table: RowTable): FieldKind | undefined {
  const [root, field, side, ...rest] = path.split('.');
  if (root !== CHANGES || hasOwnField(table)) return undefined;
  if (field === undefined) return 'nested';
  if (!changeableNames(table).includes(field)) return undefined;
  if (side === undefined) return 'nested';
  if (side !== 'from' && side !== 'to') return undefined;
  return sideKind([field, ...rest], table);
}

/** The kind of a value before or after: a relation is told by its key, and only a key of several columns has fields. */
function sideKind(path: readonly string[], table: RowTable): FieldKind | undefined {
  const { key, below } = keyOn(path, table);
  if (key === undefined) return fieldKind(path.join('.'), table);
  if (below === '') return key.length > 1 ? 'nested' : columnKind(key[0]!);
  const column = key.length > 1 ? key.find((one) => one.path === below) : undefined;
  return column && columnKind(column);
}

/** The columns of the key that a relation on a path is told by, and the part of the path behind the relation. */
function keyOn(path: readonly string[], table: RowTable) {
  for (let end = 1; end <= path.length; end += 1) {
    const relation = relationAt(path.slice(0, end).join('.'), table);
    if (relation === undefined || relation.key.length === 0) continue;
    return { key: relation.key, below: path.slice(end).join('.') };
  }
  return { key: undefined, below: '' };
}

/** The names of the fields below such a path, for error texts; undefined for any other path. */
export function changeNames(path: string, table: RowTable): readonly string[] | undefined {
  const [root, field, side, ...rest] = path.split('.');
  if (root !== CHANGES || hasOwnField(table)) return undefined;
  if (field === undefined) return changeableNames(table);
  if (side === undefined) return ['from', 'to'];
  const { key } = keyOn([field, ...rest], table);
  return key?.map((column) => column.path) ?? fieldNames([field, ...rest].join('.'), table);
}

function hasOwnField({ columns, relations }: RowTable): boolean {
  return [...columns, ...relations].some((field) => propertyOf(field) === CHANGES);
}

function fieldsOf(field: string, event: string, table: RowTable): Field[] {
  const own = [...ownColumns(table), ...keyedRelations(table)];
  const named = own.filter(
    (candidate) =>
      candidate.path === field || (propertyOf(candidate) === field && !isHidden(candidate)),
  );
  if (named.length > 0) return named.flatMap(withItsKey);
  const names = [...new Set(own.map(propertyOf))];
  const fault =
    relationAt(field, table) === undefined
      ? `which is not a field of ${table.name}`
      : `whose key is not in the rows of ${table.name}`;
  throw new ThornConfigurationError(
    'THORN_DECLARATION_INVALID',
    `${table.name}, event ${event}: on names ${field}, ${fault}. Its fields: ${shownNames(names)}`,
    { entity: table.name, event, field },
  );
}

function isHidden(field: Field): boolean {
  return !isRelation(field) && field.isHidden;
}
