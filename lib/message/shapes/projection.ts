import { isObject } from '../../common/objects.js';

/** The names below a path that are kept; null: everything below it. */
type Kept = Map<string, Kept | null>;

/** Makes a function that keeps the values at some dotted paths. A path leads through the elements of lists. */
export function projection(paths: readonly string[]): (data: unknown) => unknown {
  const kept: Kept = new Map();
  for (const path of paths) keep(path.split('.'), kept);
  return (data) => project(data, kept);
}

function keep([name, ...rest]: readonly string[], kept: Kept): void {
  const below = kept.get(name!);
  if (below === null) return;
  if (rest.length === 0) {
    kept.set(name!, null);
    return;
  }
  const into = below ?? new Map<string, Kept | null>();
  kept.set(name!, into);
  keep(rest, into);
}

/** A value that has no fields is left as it is: the path ends there. */
function project(value: unknown, kept: Kept | null): unknown {
  if (kept === null) return value;
  if (Array.isArray(value)) return value.map((item) => project(item, kept));
  if (!isObject(value)) return value;
  const found = [...kept].filter(([name]) => Object.hasOwn(value, name));
  return Object.fromEntries(found.map(([name, below]) => [name, project(value[name], below)]));
}

/** The value at a dotted path: undefined where there is none, and a list of the values where the path leads through lists. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (Array.isArray(value)) {
    const found = value.map((item) => valueAt(item, path));
    return found.filter((one) => one !== undefined).flat();
  }
  return isObject(value) && Object.hasOwn(value, name) ? valueAt(value[name], rest) : undefined;
}
