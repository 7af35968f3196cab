import type { INestApplicationContext } from '@nestjs/common';
import { ThornConfigurationError } from '../errors/index.js';
import {
  compileEventName,
  dataSchemaOf,
  EventCatalogue,
  type EventDeclaration,
  type JsonSchema,
} from '../event/index.js';

/** An event as documents tell of it. */
export interface DescribedEvent {
  /** As declared: fields in braces stand for any one segment. */
  readonly name: string;
  readonly description: string | null;
  /** What its data looks like; an empty schema where nobody said it. */
  readonly data: JsonSchema;
  /** Data as a subscriber may get it, or undefined. */
  readonly example: unknown;
}

/** What both kinds of documents can be told. */
export interface CatalogueDocumentOptions {
  /**
   * Describes the body, where the option `envelope` of the module makes another one than the default. Examples are left
   * out then. Default: the default envelope around the data.
   */
  readonly body?: (event: DescribedEvent) => JsonSchema;
}

/** Where the events are known: an application that uses `ThornModule`, or its catalogue. */
export type CatalogueSource = EventCatalogue | Pick<INestApplicationContext, 'get'>;

/** The events that may be subscribed to, by name. @throws {@link ThornConfigurationError} for no catalogue */
export function describedEvents(source: CatalogueSource): readonly DescribedEvent[] {
  const catalogue = catalogueOf(source);
  return catalogue
    .subscribable()
    .toSorted()
    .map((name) => described(catalogue.get(name)!));
}

/** The schema of a body, and an example if there is one. */
export function bodyOf(
  event: DescribedEvent,
  { body }: CatalogueDocumentOptions,
): { readonly schema: JsonSchema; readonly example?: unknown } {
  if (body !== undefined) return { schema: body(event) };
  const schema = envelopeSchema(event);
  return event.example === undefined ? { schema } : { schema, example: exampleOf(event) };
}

function catalogueOf(source: CatalogueSource): EventCatalogue {
  if (source instanceof EventCatalogue) return source;
  if (typeof (source as { get?: unknown } | undefined)?.get !== 'function') {
    throw new ThornConfigurationError(
      'The catalogue must be an application that imports ThornModule, or its EventCatalogue.',
    );
  }
  return source.get(EventCatalogue, { strict: false });
}

function described(declaration: EventDeclaration): DescribedEvent {
  const { name, description, example } = declaration;
  return {
    name,
    description: description ?? null,
    data: dataSchemaOf(declaration) ?? {},
    example,
  };
}

function envelopeSchema({ name, data }: DescribedEvent): JsonSchema {
  return {
    type: 'object',
    properties: {
      event: eventSchema(name),
      timestamp: {
        type: 'string',
        format: 'date-time',
        description: 'When it happened: ISO 8601 with milliseconds, UTC.',
      },
      ref: {
        type: ['string', 'null'],
        format: 'uri-reference',
        description: 'Where the thing can be found, or null.',
      },
      owner: {
        type: ['string', 'null'],
        description: 'The user whose subscribers may see it, or null.',
      },
      data,
    },
    required: ['event', 'timestamp', 'ref', 'owner', 'data'],
  };
}

function eventSchema(name: string): JsonSchema {
  const { segments } = compileEventName(name);
  if (!segments.includes(null)) return { type: 'string', const: name };
  const pattern = segments.map((segment) => segment ?? '[A-Za-z0-9_-]+').join('\\.');
  return { type: 'string', pattern: `^${pattern}$` };
}

function exampleOf({ name, example }: DescribedEvent): unknown {
  return {
    event: compileEventName(name)
      .segments.map((segment) => segment ?? 'example')
      .join('.'),
    timestamp: '2026-01-02T03:04:05.678Z',
    ref: null,
    owner: null,
    data: example,
  };
}
