import { shownNames } from '../../common/log.js';
import { ThornConfigurationError } from '../../errors/index.js';
import {
  type Field,
  keyedRelations,
  ownColumns,
  propertyOf,
  type RowTable,
  withItsKey,
} from '../table/row-table.js';
import { isWithin, surveyPath } from './row-paths.js';

/** The properties of rows that events never show. */
export function concealedNames(table: RowTable): ReadonlySet<string> {
  const { concealed } = table;
  return new Set([...concealed, ...fieldsNamed(table, concealed).map(propertyOf)]);
}

/** The columns and relations whose change alone an event does not report, unless it names them. */
export function unreportedFields(
  table: RowTable,
  named: { readonly watched: ReadonlySet<Field> | undefined; readonly paths: readonly string[] },
): ReadonlySet<Field> {
  const isNamed = (field: Field): boolean =>
    named.watched?.has(field) === true || named.paths.some((path) => isWithin(path, field.path));
  const hidden = table.columns.filter(({ isHidden }) => isHidden);
  const concealed = fieldsNamed(table, [...concealedNames(table)]);
  return new Set([...hidden, ...concealed].filter((field) => !withItsKey(field).some(isNamed)));
}

/** The columns that a query reads for all events of a table, and that the payload of a single event must not see. */
export function concealedPaths(
  events: readonly { readonly hidden: readonly string[]; readonly joins: readonly string[] }[],
  table: RowTable,
): readonly string[] {
  const joins = [...new Set(events.flatMap((event) => event.joins))];
  const ofJoined = joins.flatMap((path) =>
    [...concealedNames(surveyPath(path, table).relations.at(-1)!.target)].map(
      (name) => `${path}.${name}`,
    ),
  );
  return [
    ...new Set([...events.flatMap(({ hidden }) => hidden), ...concealedNames(table), ...ofJoined]),
  ];
}

/**
 * @param settings names of properties by the setting that names them
 * @throws {@link ThornConfigurationError} when one is not a property of the table's rows
 */
export function checkColumnSettings(
  table: RowTable,
  settings: Readonly<Record<string, readonly string[]>>,
): void {
  const fields = [...ownColumns(table), ...table.relations].map(propertyOf);
  const known = [...new Set([...fields, ...table.computed])];
  for (const [setting, names] of Object.entries(settings)) {
    const unknown = names.find((name) => !known.includes(name));
    if (unknown === undefined) continue;
    throw new ThornConfigurationError(
      'THORN_DECLARATION_INVALID',
      `${table.declaration}: ${setting} names ${unknown}, which is not a property of ${table.name}. ` +
        `Its properties: ${shownNames(known)}`,
      { entity: table.name, setting, property: unknown },
    );
  }
}

function fieldsNamed(table: RowTable, names: readonly string[]): Field[] {
  return [...ownColumns(table), ...keyedRelations(table)]
    .filter((field) => names.includes(propertyOf(field)))
    .flatMap(withItsKey);
}
