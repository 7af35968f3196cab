import { shownNames } from '../../common/log.js';

/** Paths of data that cannot be checked, in the form in which the REST API refuses fields. */
export interface UncheckedPaths {
  /** The field of the subscriber that names the paths. */
  readonly field: 'filter' | 'fields' | 'template';
  readonly code: 'unchecked-paths';
  /** A sentence part that follows the field's name. */
  readonly reason: string;
  readonly data: { readonly paths: readonly string[] };
}

/**
 * Makes the warning about paths that no schema has.
 *
 * @param open names of the events that have no schema. Empty: no event is declared
 * @returns no warning where there are no such paths
 */
export function uncheckedPaths(
  field: UncheckedPaths['field'],
  paths: readonly string[],
  open: readonly string[],
): readonly UncheckedPaths[] {
  if (paths.length === 0) return [];
  const cause =
    open.length === 0
      ? 'no event is declared'
      : `${shownNames(open)} ${open.length === 1 ? 'has' : 'have'} no schema`;
  const reason = `cannot be checked for ${shownNames(paths)}, since ${cause}; a field that is missing has no value`;
  return [{ field, code: 'unchecked-paths', reason, data: { paths } }];
}
