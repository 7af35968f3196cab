import type { EntityMetadata } from 'typeorm';
import { shownNames } from '../../common/log/error-text.js';
import { ThornConfigurationError } from '../../errors/index.js';
import { columnsNamed, isEntityClass } from '../../event/entity-events.js';
import type { Field } from '../rows/typeorm-types.js';
import { propertyOf, withItsKey } from './entity-fields.js';
import { surveyPath } from './entity-paths.js';

/** The properties of rows that events never show: of the class, and of the subclasses in its table. */
export function hiddenNames(metadata: EntityMetadata): ReadonlySet<string> {
  const names = [metadata, ...metadata.childEntityMetadatas].flatMap(({ target }) =>
    isEntityClass(target) ? columnsNamed(target, 'hidden') : [],
  );
  return new Set([...names, ...fieldsNamed(metadata, names).map(propertyOf)]);
}

/** The columns and relations whose change alone an event does not report, unless it names them. */
export function unreportedFields(
  metadata: EntityMetadata,
  named: { readonly watched: ReadonlySet<Field> | undefined; readonly paths: readonly string[] },
): ReadonlySet<Field> {
  const isNamed = (field: Field): boolean =>
    named.watched?.has(field) === true || named.paths.some((path) => isWithin(path, field));
  const unselected = metadata.columns.filter(({ isSelect }) => !isSelect);
  const hidden = fieldsNamed(metadata, [...hiddenNames(metadata)]);
  return new Set([...unselected, ...hidden].filter((field) => !withItsKey(field).some(isNamed)));
}

/** What payloads must not see of the rows that one query reads for all the events of an entity. */
export function concealedPaths(
  events: readonly { readonly hidden: readonly string[]; readonly joins: readonly string[] }[],
  metadata: EntityMetadata,
): readonly string[] {
  const joins = [...new Set(events.flatMap((event) => event.joins))];
  const ofJoined = joins.flatMap((path) =>
    [...hiddenNames(surveyPath(path, metadata).relations.at(-1)!.inverseEntityMetadata)].map(
      (name) => `${path}.${name}`,
    ),
  );
  return [
    ...new Set([...events.flatMap(({ hidden }) => hidden), ...hiddenNames(metadata), ...ofJoined]),
  ];
}

/** @throws {@link ThornConfigurationError} when `hidden` or `notSecret` names a property that the entity does not have */
export function checkColumnSettings(metadata: EntityMetadata): void {
  const { target, columns, relations, relationIds } = metadata;
  if (!isEntityClass(target)) return;
  const fields = [...columns.filter(({ isVirtual }) => !isVirtual), ...relations].map(propertyOf);
  const known = [...new Set([...fields, ...relationIds.map(({ propertyName }) => propertyName)])];
  for (const setting of ['hidden', 'notSecret'] as const) {
    const unknown = columnsNamed(target, setting).find((name) => !known.includes(name));
    if (unknown === undefined) continue;
    throw new ThornConfigurationError(
      'THORN_DECLARATION_INVALID',
      `@Webhooks on ${metadata.name}: ${setting} names ${unknown}, which is not a property of ${metadata.name}. ` +
        `Its properties: ${shownNames(known)}`,
      { entity: metadata.name, setting, property: unknown },
    );
  }
}

function fieldsNamed(metadata: EntityMetadata, names: readonly string[]): Field[] {
  const { columns, relationsWithJoinColumns: relations } = metadata;
  return [...columns.filter(({ isVirtual }) => !isVirtual), ...relations]
    .filter((field) => names.includes(propertyOf(field)))
    .flatMap(withItsKey);
}

function isWithin(path: string, { propertyPath }: Field): boolean {
  return path === propertyPath || path.startsWith(`${propertyPath}.`);
}
