import type { EntityMetadata } from 'typeorm';
import { shownNames } from '../../common/log/error-text.js';
import { ThornConfigurationError } from '../../errors/index.js';
import { fieldKind, fieldNames, surveyPath } from './entity-paths.js';

/** @throws {@link ThornConfigurationError} naming the setting of an event whose path leads to no value */
export function checkPaths(
  { name }: { readonly name: string },
  metadata: EntityMetadata,
  paths: Readonly<Record<string, readonly string[]>>,
): void {
  for (const [setting, named] of Object.entries(paths)) {
    for (const path of named) {
      // Names are filled from own properties alone.
      const fault = pathFault(path, metadata, setting !== 'the name');
      if (fault === undefined) continue;
      throw new ThornConfigurationError(
        'THORN_DECLARATION_INVALID',
        `${metadata.name}, event ${name}: ${setting} names ${path}, but ${fault}`,
        { entity: metadata.name, event: name, path },
      );
    }
  }
}

/**
 * Finds out why a path of a row does not lead to one text, number or the like; undefined when it does.
 *
 * @param readsGetters whether getters of the class are read as well as columns
 */
function pathFault(
  path: string,
  entity: EntityMetadata,
  readsGetters: boolean,
): string | undefined {
  const segments = path.split('.');
  for (const [index, segment] of segments.entries()) {
    const parent = segments.slice(0, index).join('.');
    const here = segments.slice(0, index + 1).join('.');
    const isLast = index === segments.length - 1;
    const kind = fieldKind(here, entity);
    if (kind === 'open') return undefined;
    if (kind === undefined) {
      return isFilledOtherwise(parent, segment, entity, readsGetters)
        ? undefined
        : unknownField(parent, segment, entity);
    }
    if (kind === 'nested') {
      const fault = nestedFault(here, isLast, entity);
      if (fault !== undefined) return fault;
    } else if (!isLast) return `${here} is a column without fields of its own`;
  }
  return undefined;
}

function unknownField(parent: string, segment: string, entity: EntityMetadata): string {
  const owner = metadataAt(parent, entity)?.name ?? parent;
  return `${segment} is not a field of ${owner}. Its fields: ${shownNames(fieldNames(parent, entity))}`;
}

function nestedFault(path: string, isLast: boolean, entity: EntityMetadata): string | undefined {
  const { relations, rest } = surveyPath(path, entity);
  const relation = rest === '' ? relations.at(-1) : undefined;
  if (relation?.isOneToMany === true || relation?.isManyToMany === true) {
    return `${path} leads to many rows; write a function instead`;
  }
  if (!isLast) return undefined;
  return `${path} is a whole object. Name one of its fields: ${shownNames(fieldNames(path, entity))}`;
}

/** A getter of the class, or whatever a listener puts into a row that was loaded. */
function isFilledOtherwise(
  parent: string,
  segment: string,
  entity: EntityMetadata,
  readsGetters: boolean,
): boolean {
  const metadata = metadataAt(parent, entity);
  if (metadata === undefined) return false;
  if (metadata.afterLoadListeners.length > 0) return true;
  return readsGetters && hasGetter(metadata.target, segment);
}

/** The entity whose fields stand below a path; undefined below an embedded object. */
function metadataAt(path: string, entity: EntityMetadata): EntityMetadata | undefined {
  if (path === '') return entity;
  const { relations, rest } = surveyPath(path, entity);
  return rest === '' ? relations.at(-1)?.inverseEntityMetadata : undefined;
}

function hasGetter(target: EntityMetadata['target'], name: string): boolean {
  let holder: unknown = typeof target === 'function' ? target.prototype : null;
  while (holder !== null && holder !== undefined && holder !== Object.prototype) {
    const found = Object.getOwnPropertyDescriptor(holder, name);
    if (found !== undefined) return found.get !== undefined;
    holder = Object.getPrototypeOf(holder);
  }
  return false;
}
