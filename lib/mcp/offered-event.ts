import { InvalidInputError } from '../errors/index.js';
import {
  compileEventName,
  dataSchemaOf,
  type EventCatalogue,
  type EventDeclaration,
  type JsonSchema,
  type JsonValue,
} from '../event/index.js';
import { encodeSegment, type EventName, MAX_NAME_SEGMENTS } from '../event/event-name.js';
import { namesOfPattern, overlap } from '../event/pattern-coverage.js';
import { MAX_PATTERNS } from '../subscriber/index.js';
import { argumentTypes, fitsType, isObjectSchema } from './argument-types.js';
import { invalidParams } from './mcp-events.error.js';

/** The arguments of a subscription, by name. */
export type McpArguments = Readonly<Record<string, unknown>>;

/** The messages that a subscription gets, in the terms of a subscriber. */
export interface EventSelection {
  readonly events: readonly string[];
  readonly exclude: readonly string[];
  readonly filter: JsonValue | null;
}

/** A declared event as MCP Events offers it: its arguments choose among the event's messages. */
export class OfferedEvent {
  readonly name: string;
  readonly description: string | undefined;
  /** The schema of the arguments. */
  readonly inputSchema: JsonSchema;
  readonly #name: EventName;
  readonly #types: ReadonlyMap<string, JsonSchema>;
  /** Events whose names the pattern of this one matches as well. */
  readonly #others: readonly EventName[];

  /** @param payloadSchema the schema of the data */
  private constructor(
    { name, description }: EventDeclaration,
    readonly payloadSchema: JsonSchema,
    catalogue: EventCatalogue,
  ) {
    this.name = name;
    this.description = description;
    this.#name = compileEventName(name);
    this.#types = argumentTypes(payloadSchema, this.#name.paths);
    const properties = [...this.#types].map(([field, type]) => [field, oneOrMore(type)]);
    this.inputSchema = {
      ...{ type: 'object', properties: Object.fromEntries(properties) },
      additionalProperties: false,
    };
    this.#others = othersWithin(this.#name, catalogue);
  }

  /** The pattern of its names, whatever their fields hold; others have some of these names as well. */
  get pattern(): string {
    return this.#name.pattern;
  }

  /** Returns the events that may be subscribed to and whose data is an object, by name. */
  static allOf(catalogue: EventCatalogue): ReadonlyMap<string, OfferedEvent> {
    const offered = catalogue.subscribable().flatMap((name) => {
      const declaration = catalogue.get(name)!;
      const schema = dataSchemaOf(declaration) ?? { type: 'object' };
      return isObjectSchema(schema) ? [new OfferedEvent(declaration, schema, catalogue)] : [];
    });
    return new Map(offered.map((event) => [event.name, event]));
  }

  /** @throws {@link McpEventsError} naming the arguments that the schema refuses */
  select(given: McpArguments): EventSelection {
    const wrong = Object.keys(given).filter(
      (name) => !this.#fits(given[name], this.#types.get(name)),
    );
    if (wrong.length > 0) {
      const fields = wrong.map((name) => `arguments.${name.slice(0, 100)}`);
      throw invalidParams(fields, 'must fit the inputSchema of the event');
    }
    const events = this.#patterns(given);
    const filter = Object.entries(given)
      .filter(([name]) => !this.#name.paths.includes(name))
      .map(([name, value]) => [name, Array.isArray(value) ? { in: value } : { eq: value }]);
    return {
      events,
      exclude: this.#excluded(events),
      filter: filter.length === 0 ? null : (Object.fromEntries(filter) as JsonValue),
    };
  }

  #fits(value: unknown, type: JsonSchema | undefined): boolean {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    const isFew = values.length > 0 && values.length <= MAX_PATTERNS;
    return type !== undefined && isFew && values.every((one) => fitsType(one, type));
  }

  /** The patterns of the names with the given fields: one for each combination of their values. */
  #patterns(given: McpArguments): readonly string[] {
    const { paths, segments } = this.#name;
    let patterns = [''];
    let field = 0;
    for (const segment of segments) {
      const choices = segment === null ? segmentsOf(paths[field++]!, given) : [segment];
      patterns = patterns.flatMap((before) => choices.map((choice) => `${before}.${choice}`));
    }
    if (patterns.length > MAX_PATTERNS) {
      const fields = paths.map((path) => `arguments.${path}`);
      throw invalidParams(fields, `must have at most ${MAX_PATTERNS} combinations`);
    }
    return [...new Set(patterns.map((pattern) => pattern.slice(1)))];
  }

  /** The patterns of names that `events` match and that are not of this event. */
  #excluded(events: readonly string[]): readonly string[] {
    const asked = events.map(namesOfPattern);
    const others = this.#others.filter(({ segments }) =>
      asked.some((one) => overlap(one, { segments, open: false })),
    );
    const isFull = this.#name.segments.length >= MAX_NAME_SEGMENTS;
    const longer = events.filter((_, at) => asked[at]!.open && !isFull).map((one) => `${one}.*`);
    return [...longer, ...others.map(({ pattern }) => pattern)];
  }
}

function oneOrMore({ description, ...value }: JsonSchema): JsonSchema {
  const list = { type: 'array', items: value, minItems: 1, maxItems: MAX_PATTERNS };
  return { ...(description === undefined ? {} : { description }), anyOf: [value, list] };
}

/** The segments that the values of a field make; `*` where none is given. */
function segmentsOf(path: string, { [path]: given }: McpArguments): readonly string[] {
  if (given === undefined) return ['*'];
  try {
    return [given].flat().map((value) => encodeSegment(String(value)));
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    throw invalidParams([`arguments.${path}`], 'must not be empty, and must be valid Unicode');
  }
}

/** The events that the catalogue prefers for some names of an event: those of that very name, and earlier ones. */
function othersWithin(name: EventName, catalogue: EventCatalogue): readonly EventName[] {
  if (name.paths.length === 0) return [];
  const names = catalogue.names();
  const at = names.indexOf(name.name);
  return names
    .map(compileEventName)
    .filter(({ paths }, index) => index !== at && (paths.length === 0 || index < at))
    .filter(({ segments }) =>
      overlap({ segments, open: false }, { segments: name.segments, open: false }),
    );
}
