import { covers, namesOfPattern, namesOfSegments } from '../../lib/event/event-patterns.js';
import type { Endpoint } from '../core/model.js';
import { owner } from '../core/source.js';
import { useData } from '../core/use-data.js';
import { patternFor, useCatalogue } from './event-picker.js';

/** The number of events whose schemas are read. */
const MOST = 10;
const DEPTH = 4;

/** Names of fields in the data of the events, from their schemas and examples. */
export function useFieldNames(events: readonly string[]): readonly string[] {
  const catalogue = useCatalogue();
  const names = (catalogue.value?.items ?? [])
    .map(({ name }) => name)
    .filter((name) => events.some((one) => matchesEvent(one, name)))
    .slice(0, MOST);
  const found = useData(`fields ${names.join(' ')}`, async (signal) => {
    const types = await Promise.all(names.map((name) => owner.eventType(name, signal)));
    const fields = types.flatMap(({ schema, example }) => [
      ...namesInSchema(schema, DEPTH),
      ...namesIn(example, DEPTH),
    ]);
    return [...new Set(fields)].toSorted();
  });
  return found.value ?? [];
}

/** False: none of the events tells which of its fields have changed. */
export function useChangesTold({ events, exclude }: Pick<Endpoint, 'events' | 'exclude'>): boolean {
  const got = (useCatalogue().value?.items ?? []).filter(
    ({ name }) =>
      events.some((one) => matchesEvent(one, name)) &&
      !exclude.some((one) => matchesEvent(one, name)),
  );
  return got.length === 0 || got.some(({ changed }) => changed !== null);
}

/** Tells whether a pattern matches an event, whatever its fields hold. */
export function matchesEvent(pattern: string, name: string): boolean {
  const { segments } = namesOfPattern(patternFor(name));
  return covers(namesOfPattern(pattern), namesOfSegments(segments));
}

function namesInSchema(schema: unknown, depth: number): string[] {
  const { properties, items } = record(schema);
  // A path leads through the elements of a list.
  if (items !== undefined) return namesInSchema(items, depth);
  return Object.entries(record(properties)).flatMap(([name, inner]) => {
    const within = depth > 1 ? namesInSchema(inner, depth - 1) : [];
    return within.length === 0 ? [name] : within.map((one) => `${name}.${one}`);
  });
}

function namesIn(data: unknown, depth: number): string[] {
  const one: unknown = Array.isArray(data) ? data[0] : data;
  return Object.entries(record(one)).flatMap(([name, inner]) => {
    const within = depth > 1 ? namesIn(inner, depth - 1) : [];
    return within.length === 0 ? [name] : within.map((one) => `${name}.${one}`);
  });
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Readonly<Record<string, unknown>>) : {};
}
