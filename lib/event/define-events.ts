import { isPlainObject } from '../common/objects.js';
import { OptionChecks } from '../common/option-checks.js';
import { ThornConfigurationError } from '../errors/index.js';
import { MAX_CHANGED_LENGTH } from '../message/index.js';
import { compileEventName } from './event-name.js';

/** A class that describes an event's data, as with class-validator and Swagger. */
export type DataClass<Data = object> = abstract new (...args: never[]) => Data;

declare const dataBrand: unique symbol;
declare const eventsBrand: unique symbol;

/** Carries a type and nothing else; see {@link dataType}. */
export interface DataType<Data> {
  readonly [dataBrand]?: Data;
}

/** An event that is sent by hand. */
export interface EventDefinition {
  /** Shown to people who choose which events to subscribe to. */
  readonly description: string;
  /** The schema of its data: a JSON Schema, or a class. */
  readonly schema?: Readonly<Record<string, unknown>> | DataClass;
  /** Data as a subscriber may get it, for tests of an endpoint; any value that JSON holds. */
  readonly example?: unknown;
  /**
   * The names of the fields that `send(…, { changed })` may name, so that subscribers can ask for messages in which one of
   * them has changed. Default: the event knows no changes.
   */
  readonly changed?: readonly string[];
  /** True: receivers are told not to begin with it. Default: true where there is a `replacedBy`, else false. */
  readonly deprecated?: boolean;
  /** The name of the event that receivers should subscribe to instead, as declared. */
  readonly replacedBy?: string;
  /** The type of its data, where no class says it: `data: dataType<{ id: string }>()`. */
  readonly data?: DataType<unknown>;
}

/** An event as the catalogue knows it. Its `deprecated` is false where it is left out. */
export interface EventDeclaration extends Partial<Omit<EventDefinition, 'data' | 'changed'>> {
  /** The name, with its fields in braces: `user.{username}`. */
  readonly name: string;
  /** The place of the declaration, for error texts: the entity's name, `Orders.cancel`, `defineEvents()`. */
  readonly source: string;
  /** The kind of declaration. Default `defined`: a description alone, of an event that is sent by hand or from elsewhere. */
  readonly origin?: 'entity' | 'method' | 'defined';
  /** The names of the fields that may change; `any` where they are not known. Default: the event knows no changes. */
  readonly changed?: readonly string[] | 'any';
}

/** Events for the module's options, with the types of their data by name. */
export interface EventDefinitions<Events = Readonly<Record<string, unknown>>> {
  /** The events, in the order of their declaration. */
  readonly declarations: readonly EventDeclaration[];
  readonly [eventsBrand]?: Events;
}

type DataOf<Definition> = Definition extends { readonly data: DataType<infer Data> }
  ? Data
  : Definition extends { readonly schema: DataClass<infer Data> }
    ? Data
    : unknown;

/** The type of an event's data, for {@link defineEvents}. */
export function dataType<Data>(): DataType<Data> {
  return {};
}

/**
 * Declares events that are sent by hand, or describes events that entities and methods send.
 *
 * @example
 * ```ts
 * const events = defineEvents({
 *   'order.flagged': { description: 'Someone looked at an order twice', schema: OrderFlagged },
 *   'stock.{sku}.low': { description: 'Few are left', data: dataType<{ left: number }>() },
 * });
 * ```
 * @throws {@link ThornConfigurationError} for a wrong name, a missing description or a schema that is none
 */
export function defineEvents<const Definitions extends Readonly<Record<string, EventDefinition>>>(
  definitions: Definitions,
): EventDefinitions<{ readonly [Name in keyof Definitions]: DataOf<Definitions[Name]> }> {
  if (!isPlainObject(definitions)) {
    throw new ThornConfigurationError(
      'THORN_DECLARATION_INVALID',
      "defineEvents() takes an object of events by name, for example { 'order.flagged': { description: '…' } }",
    );
  }
  return { declarations: Object.entries(definitions).map(toDeclaration) };
}

const KNOWN_KEYS = [
  ...['description', 'schema', 'example', 'data', 'changed', 'deprecated', 'replacedBy'],
];

function toDeclaration([name, definition]: [string, EventDefinition]): EventDeclaration {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new ThornConfigurationError(
      'THORN_DECLARATION_INVALID',
      `defineEvents(): ${name} ${reason}`,
      { event: name },
      cause,
    );
  };
  try {
    compileEventName(name);
  } catch (error) {
    refuse(`is not an event name: ${(error as Error).message}`, error);
  }
  if (!isPlainObject(definition)) return refuse('must have an object with a description');
  const check = new OptionChecks('defineEvents()', `${name}.`);
  check.names(definition, KNOWN_KEYS);
  const {
    description,
    schema,
    example,
    changed,
    replacedBy,
    deprecated = replacedBy !== undefined,
  } = definition;
  check.boolean('deprecated', deprecated);
  check.assert(
    'changed',
    changed === undefined ||
      (Array.isArray(changed) && changed.length > 0 && changed.every(isFieldName)),
    "must be a list of names of fields, for example ['price', 'stock']",
  );
  check.assert(
    'replacedBy',
    replacedBy === undefined ||
      (typeof replacedBy === 'string' && replacedBy !== name && deprecated),
    'must be the name of another event, and the event deprecated',
  );
  if (typeof description !== 'string' || description.trim() === '') {
    return refuse('needs a description: one sentence for those who subscribe');
  }
  if (schema !== undefined && typeof schema !== 'function' && !isPlainObject(schema)) {
    return refuse('has a schema that is neither a class nor a JSON Schema object');
  }
  return {
    name,
    source: 'defineEvents()',
    description,
    ...(schema === undefined ? {} : { schema }),
    ...(example === undefined ? {} : { example }),
    ...(changed === undefined ? {} : { changed }),
    ...(deprecated && { deprecated }),
    ...(replacedBy !== undefined && { replacedBy }),
  };
}

function isFieldName(name: unknown): boolean {
  return typeof name === 'string' && name !== '' && name.length <= MAX_CHANGED_LENGTH;
}
