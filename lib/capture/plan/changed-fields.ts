import type { EntityMetadata } from 'typeorm';
import { shownNames } from '../../common/log/error-text.js';
import { ThornConfigurationError } from '../../errors/index.js';
import type { FieldKind } from '../../event/index.js';
import type { Field } from '../rows/typeorm-types.js';
import { propertyOf, withItsKey } from './entity-fields.js';
import { columnKind, fieldKind, fieldNames } from './entity-paths.js';
import { hiddenNames } from './hidden-columns.js';

/** The row's property of a condition that stands for the changed fields. */
const CHANGES = 'changes';

/**
 * The columns and relations whose change an event reacts to; undefined when any will do.
 *
 * @throws {@link ThornConfigurationError} when it names a field that the row does not hold
 */
export function watchedFields(
  { name, fields }: { readonly name: string; readonly fields: readonly string[] | undefined },
  metadata: EntityMetadata,
): ReadonlySet<Field> | undefined {
  return fields && new Set(fields.flatMap((field) => fieldsOf(field, name, metadata)));
}

/** The columns among some fields that TypeORM does not select by itself, as paths. */
export function hiddenFields(fields: ReadonlySet<Field> | undefined): string[] {
  return [...(fields ?? [])].filter(isHidden).map(({ propertyPath }) => propertyPath);
}

/** The properties of a row that may be among its changed fields. */
export function changeableNames(metadata: EntityMetadata): string[] {
  const fields = [
    ...metadata.columns.filter(({ isSelect, isVirtual }) => isSelect && !isVirtual),
    ...metadata.relationsWithJoinColumns,
  ];
  const hidden = hiddenNames(metadata);
  return [...new Set(fields.map(propertyOf))].filter((name) => !hidden.has(name));
}

/** The kind of field at a path that leads through a condition's `changes`; undefined when it does not. */
export function changeKind(path: string, metadata: EntityMetadata): FieldKind | undefined {
  const [root, field, side, ...rest] = path.split('.');
  if (root !== CHANGES || hasOwnField(metadata)) return undefined;
  if (field === undefined) return 'nested';
  if (!changeableNames(metadata).includes(field)) return undefined;
  if (side === undefined) return 'nested';
  if (side !== 'from' && side !== 'to') return undefined;
  return sideKind([field, ...rest], metadata);
}

/** The kind of a value before or after: a relation is told by its key, and only a key of several columns has fields. */
function sideKind(path: readonly string[], metadata: EntityMetadata): FieldKind | undefined {
  const { key, below } = keyOn(path, metadata);
  if (key === undefined) return fieldKind(path.join('.'), metadata);
  if (below === '') return key.length > 1 ? 'nested' : columnKind(key[0]!);
  const column = key.length > 1 && key.find(({ propertyPath }) => propertyPath === below);
  return column ? columnKind(column) : undefined;
}

/** The columns of the key that a relation on a path is told by, and the part of the path behind the relation. */
function keyOn(path: readonly string[], metadata: EntityMetadata) {
  for (let end = 1; end <= path.length; end += 1) {
    const relation = metadata.findRelationWithPropertyPath(path.slice(0, end).join('.'));
    if (relation === undefined) continue;
    const key = relation.joinColumns.map(({ referencedColumn }) => referencedColumn!);
    return { key, below: path.slice(end).join('.') };
  }
  return { key: undefined, below: '' };
}

/** The fields below such a path, for error texts; undefined when it is another. */
export function changeNames(path: string, metadata: EntityMetadata): readonly string[] | undefined {
  const [root, field, side, ...rest] = path.split('.');
  if (root !== CHANGES || hasOwnField(metadata)) return undefined;
  if (field === undefined) return changeableNames(metadata);
  if (side === undefined) return ['from', 'to'];
  const { key } = keyOn([field, ...rest], metadata);
  return (
    key?.map(({ propertyPath }) => propertyPath) ?? fieldNames([field, ...rest].join('.'), metadata)
  );
}

function hasOwnField(metadata: EntityMetadata): boolean {
  return [...metadata.columns, ...metadata.relations].some(
    (field) => propertyOf(field) === CHANGES,
  );
}

function fieldsOf(field: string, event: string, metadata: EntityMetadata): Field[] {
  const { columns, relationsWithJoinColumns: relations } = metadata;
  const own = [...columns.filter(({ isVirtual }) => !isVirtual), ...relations];
  const named = own.filter(
    (candidate) =>
      candidate.propertyPath === field || (propertyOf(candidate) === field && !isHidden(candidate)),
  );
  if (named.length > 0) return named.flatMap(withItsKey);
  const names = [...new Set(own.map(propertyOf))];
  const isOther = metadata.relations.some(({ propertyPath }) => propertyPath === field);
  const fault = isOther
    ? `whose key is not in the rows of ${metadata.name}`
    : `which is not a field of ${metadata.name}`;
  throw new ThornConfigurationError(
    'THORN_DECLARATION_INVALID',
    `${metadata.name}, event ${event}: on names ${field}, ${fault}. Its fields: ${shownNames(names)}`,
    { entity: metadata.name, event, field },
  );
}

function isHidden(field: Field): boolean {
  return 'isSelect' in field && !field.isSelect;
}
