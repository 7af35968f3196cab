import { shownNames } from '../../common/log.js';
import { ThornConfigurationError } from '../../errors/index.js';
import type { RowTable } from '../table/row-table.js';
import { fieldKind, fieldNames, surveyPath } from './row-paths.js';

/** @throws {@link ThornConfigurationError} naming the setting of an event whose path leads to no value */
export function checkPaths(
  { name }: { readonly name: string },
  table: RowTable,
  paths: Readonly<Record<string, readonly string[]>>,
): void {
  for (const [setting, named] of Object.entries(paths)) {
    for (const path of named) {
      // Names are filled from own properties alone.
      const fault = pathFault(path, table, setting !== 'the name');
      if (fault === undefined) continue;
      throw new ThornConfigurationError(
        'THORN_DECLARATION_INVALID',
        `${table.name}, event ${name}: ${setting} names ${path}, but ${fault}`,
        { entity: table.name, event: name, path },
      );
    }
  }
}

/**
 * Finds out why a path of a row does not lead to one text, number or the like; undefined when it does.
 *
 * @param readsGetters whether getters of the class are read as well as columns
 */
function pathFault(path: string, from: RowTable, readsGetters: boolean): string | undefined {
  const segments = path.split('.');
  for (const [index, segment] of segments.entries()) {
    const parent = segments.slice(0, index).join('.');
    const here = segments.slice(0, index + 1).join('.');
    const isLast = index === segments.length - 1;
    const kind = fieldKind(here, from);
    if (kind === 'open') return undefined;
    if (kind === undefined) {
      return isFilledOtherwise(parent, segment, from, readsGetters)
        ? undefined
        : unknownField(parent, segment, from);
    }
    if (kind === 'nested') {
      const fault = nestedFault(here, isLast, from);
      if (fault !== undefined) return fault;
    } else if (!isLast) return `${here} is a column without fields of its own`;
  }
  return undefined;
}

function unknownField(parent: string, segment: string, from: RowTable): string {
  const owner = tableAt(parent, from)?.name ?? parent;
  return `${segment} is not a field of ${owner}. Its fields: ${shownNames(fieldNames(parent, from))}`;
}

function nestedFault(path: string, isLast: boolean, from: RowTable): string | undefined {
  const { relations, rest } = surveyPath(path, from);
  const relation = rest === '' ? relations.at(-1) : undefined;
  if (relation?.isMany === true) {
    return `${path} leads to many rows; write a function instead`;
  }
  if (!isLast) return undefined;
  return `${path} is a whole object. Name one of its fields: ${shownNames(fieldNames(path, from))}`;
}

/** A getter of the class, or whatever the application puts into a row that was read. */
function isFilledOtherwise(
  parent: string,
  segment: string,
  from: RowTable,
  readsGetters: boolean,
): boolean {
  const table = tableAt(parent, from);
  return table !== undefined && (table.isOpen || (readsGetters && table.hasGetter(segment)));
}

/** The table whose fields stand below a path; undefined below an embedded object. */
function tableAt(path: string, from: RowTable): RowTable | undefined {
  if (path === '') return from;
  const { relations, rest } = surveyPath(path, from);
  return rest === '' ? relations.at(-1)?.target : undefined;
}
