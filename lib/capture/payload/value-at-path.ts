/** The value at a dotted path; undefined where the path breaks off. Lazy relations answer what they have loaded. */
export function valueAtPath(row: unknown, path: string): unknown {
  let value = row;
  for (const key of path.split('.')) {
    if (
      typeof value !== 'object' ||
      value === null ||
      key === 'constructor' ||
      key === '__proto__'
    ) {
      return undefined;
    }
    const holder = value as Readonly<Record<string, unknown>>;
    // TypeORM keeps what a lazy relation has loaded beside the getter that answers a promise.
    const loaded = `__${key}__`;
    value = Object.hasOwn(holder, loaded) ? holder[loaded] : holder[key];
  }
  return value;
}
