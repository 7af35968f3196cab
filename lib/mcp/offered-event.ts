import { isObject } from '../common/objects.js';
import { InvalidInputError } from '../errors/index.js';
import {
  compileEventName,
  dataSchemaOf,
  type EventCatalogue,
  type JsonSchema,
  type JsonValue,
} from '../event/index.js';
import { encodeSegment, type EventName, MAX_NAME_SEGMENTS } from '../event/event-name.js';
import { namesOfPattern, namesOfSegments, overlap } from '../event/event-patterns.js';
import { invalidParams } from './mcp-events.error.js';

/** The arguments of a subscription, by name. */
export type McpArguments = Readonly<Record<string, unknown>>;

/** The messages that a subscription gets, in the terms of a subscriber. */
export interface EventSelection {
  readonly events: readonly string[];
  readonly exclude: readonly string[];
  readonly filter: JsonValue | null;
}

/** Names that a filter does not read as a field. */
const RESERVED = new Set(['AND', 'OR', 'NOT', '__proto__', 'constructor', 'prototype']);

/** A declared event as MCP Events offers it: its arguments choose among the event's messages. */
export class OfferedEvent {
  /** The schema of the arguments: a value for each field of the name, one or more for fields of the data. */
  readonly inputSchema: JsonSchema;
  readonly #types = new Map<string, JsonSchema>();

  private constructor(
    readonly name: string,
    readonly description: string | undefined,
    readonly payloadSchema: JsonSchema,
    private readonly compiled: EventName,
    /** Events that the catalogue prefers for some names of this one. */
    private readonly others: readonly EventName[],
  ) {
    const { properties } = payloadSchema;
    const fields = isObject(properties) ? properties : {};
    const schemas: Record<string, JsonSchema> = {};
    for (const [field, schema] of Object.entries(fields)) {
      const type = scalarType(schema);
      if (type === null || RESERVED.has(field) || !/^[\w$-]+$/.test(field)) continue;
      this.#types.set(field, type);
      schemas[field] = oneOrMore(type);
    }
    for (const field of compiled.paths) {
      const type = scalarType(fields[field]) ?? { type: 'string' };
      this.#types.set(field, type);
      schemas[field] = type;
    }
    this.inputSchema = { type: 'object', properties: schemas, additionalProperties: false };
  }

  /** Returns the events that may be subscribed to and whose data is an object, by name. */
  static allOf(catalogue: EventCatalogue): ReadonlyMap<string, OfferedEvent> {
    const all = catalogue.names().map(compileEventName);
    const offered = catalogue.subscribable().flatMap((name) => {
      const declaration = catalogue.get(name)!;
      const schema = dataSchemaOf(declaration) ?? { type: 'object' };
      const compiled = compileEventName(name);
      const others = all.filter((other, at) => isPreferred(other, compiled, all.slice(at + 1)));
      return isObjectSchema(schema)
        ? [new OfferedEvent(name, declaration.description, schema, compiled, others)]
        : [];
    });
    return new Map(offered.map((event) => [event.name, event]));
  }

  /** The pattern that matches all names of the event, whatever its fields contain. Other events may match it too. */
  get pattern(): string {
    return this.compiled.pattern;
  }

  /** @throws {@link McpEventsError} naming the arguments that the schema refuses */
  select(given: McpArguments): EventSelection {
    const wrong = Object.keys(given).filter((name) => !this.#fits(name, given[name]));
    if (wrong.length > 0) {
      const fields = wrong.map((name) => `arguments.${name.slice(0, 100)}`);
      throw invalidParams(fields, 'must fit the inputSchema of the event');
    }
    const pattern = this.#patternOf(given);
    const asked = namesOfPattern(pattern);
    const others = this.others.filter(({ segments }) => overlap(asked, namesOfSegments(segments)));
    const isFull = asked.segments.length >= MAX_NAME_SEGMENTS;
    const filter = Object.entries(given)
      .filter(([name]) => !this.compiled.paths.includes(name))
      .map(([name, value]) => [name, Array.isArray(value) ? { in: value } : { eq: value }]);
    return {
      events: [pattern],
      // Excluded, because `*` as the last segment would match several segments.
      exclude: [
        ...(asked.open && !isFull ? [`${pattern}.*`] : []),
        ...others.map((other) => other.pattern),
      ],
      filter: filter.length === 0 ? null : (Object.fromEntries(filter) as JsonValue),
    };
  }

  #fits(name: string, value: unknown): boolean {
    const type = this.#types.get(name);
    if (type === undefined) return false;
    if (!Array.isArray(value) || this.compiled.paths.includes(name)) return fitsType(value, type);
    const isFew = value.length > 0 && value.length <= MAX_VALUES;
    return isFew && value.every((one) => fitsType(one, type));
  }

  /** The pattern of the names whose fields have the given values. */
  #patternOf(given: McpArguments): string {
    const paths = [...this.compiled.paths];
    const parts = this.compiled.segments.map((segment) => {
      const path = segment === null ? paths.shift()! : null;
      if (path === null) return segment;
      try {
        return Object.hasOwn(given, path) ? encodeSegment(String(given[path])) : '*';
      } catch (error) {
        if (!(error instanceof InvalidInputError)) throw error;
        throw invalidParams([`arguments.${path}`], 'must not be empty, and must be valid Unicode');
      }
    });
    return parts.join('.');
  }
}

/** Tells whether data of a schema is always an object. */
function isObjectSchema({ type, properties, allOf, anyOf, oneOf }: JsonSchema): boolean {
  if (type !== undefined) return type === 'object';
  const parts = [allOf, anyOf, oneOf].flat().filter(isObject);
  return properties !== undefined || (parts.length > 0 && parts.every(isObjectSchema));
}

/** The catalogue prefers an event with exactly this name, then the event that was declared first. */
function isPreferred(other: EventName, name: EventName, later: readonly EventName[]): boolean {
  if (name.paths.length === 0 || other.name === name.name) return false;
  const isFirst = other.paths.length === 0 || later.some((one) => one.name === name.name);
  const [one, two] = [other, name].map(({ segments }) => namesOfSegments(segments));
  return isFirst && overlap(one!, two!);
}

/** The maximum number of values of one argument. */
const MAX_VALUES = 50;

const SCALARS = new Set<unknown>(['string', 'number', 'integer', 'boolean']);

/**
 * Returns the part of a schema that allows texts, numbers and booleans; null when it allows other values. A null cannot
 * be an argument.
 */
function scalarType(schema: unknown): JsonSchema | null {
  const { type, enum: listed, description } = isObject(schema) ? schema : {};
  const types = [type].flat().filter((one) => one !== 'null' && one !== undefined);
  const values = Array.isArray(listed) ? listed.filter((one) => one !== null) : null;
  const isTyped = types.length > 0 && types.every((one) => SCALARS.has(one));
  const isListed = values !== null && values.every((one) => SCALARS.has(typeof one));
  if (type === undefined ? !isListed : !isTyped) return null;
  return {
    ...(isTyped && { type: types.length === 1 ? types[0] : types }),
    ...(isListed && { enum: values }),
    ...(typeof description === 'string' && { description }),
  };
}

/** Returns a schema for one value or a list of values. */
function oneOrMore({ description, ...value }: JsonSchema): JsonSchema {
  const list = { type: 'array', items: value, minItems: 1, maxItems: MAX_VALUES };
  return { ...(description !== undefined && { description }), anyOf: [value, list] };
}

/** Tells whether a value is of a type that {@link scalarType} has returned. */
function fitsType(value: unknown, { type, enum: listed }: JsonSchema): boolean {
  if (Array.isArray(listed) && !listed.includes(value)) return false;
  if (type === undefined) return true;
  return [type].flat().some((one) => {
    if (one === 'integer') return Number.isInteger(value);
    return one === 'number' ? Number.isFinite(value) : typeof value === one;
  });
}
