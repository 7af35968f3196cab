import { ThornConfigurationError } from '../../errors/index.js';

/** Tells whether a test holds for what stands at a path; through a to-many relation, for some element's. */
export function readPath(
  row: unknown,
  path: readonly string[],
  holds: (value: unknown) => boolean,
  from = 0,
): boolean {
  if (from === path.length) return holds(row);
  return someElement(row, (element) =>
    readPath(readProperty(element, path[from]!), path, holds, from + 1),
  );
}

/** A to-many relation holds when some element does; anything else is its own only element. */
export function someElement(value: unknown, holds: (element: unknown) => boolean): boolean {
  return Array.isArray(value) ? value.some((element) => someElement(element, holds)) : holds(value);
}

/** An own property; undefined of null and undefined, so that a path through an empty relation reads as no value. */
export function readProperty(row: unknown, key: string): unknown {
  if (typeof row !== 'object' || row === null) return undefined;
  if (!Object.hasOwn(row, key)) return loadedLazily(row, key);
  const value: unknown = (row as Record<string, unknown>)[key];
  if (!(value instanceof Promise)) return value;
  if (hasLoadedLazily(row, key)) return loadedLazily(row, key);
  // TypeORM's getter has started a query that no code waits for.
  value.catch(() => undefined);
  throw new ThornConfigurationError(
    'THORN_RELATION_NOT_LOADED',
    `The lazy relation ${key} was not loaded, so it cannot be read; load it with the row`,
    { relation: key },
  );
}

// TypeORM keeps what a lazy relation has loaded in a property of its own; the relation's property is a promise.
function loadedLazily(row: object, key: string): unknown {
  const stored = `__${key}__`;
  return Object.hasOwn(row, stored) ? (row as Record<string, unknown>)[stored] : undefined;
}

function hasLoadedLazily(row: object, key: string): boolean {
  return Object.hasOwn(row, `__has_${key}__`) || Object.hasOwn(row, `__${key}__`);
}
