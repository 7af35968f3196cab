import type { Column } from './row-key.js';

/** A value as the transformer of its column gives it to the database. */
export function databaseForm({ transformer }: Column, value: unknown): unknown {
  if (transformer === undefined) return value;
  const all = Array.isArray(transformer) ? transformer : [transformer];
  return all.reduce<unknown>((result, { to }) => to(result), value);
}
