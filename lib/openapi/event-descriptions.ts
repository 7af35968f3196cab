import type { INestApplicationContext } from '@nestjs/common';
import { ThornConfigurationError } from '../errors/index.js';
import { WireFormat } from '../message/index.js';
import { ENVELOPES, withOrder } from './envelope-schemas.js';
import {
  dataSchemaOf,
  EventCatalogue,
  type EventDeclaration,
  type JsonSchema,
} from '../event/index.js';

/** An event as the documents describe it. */
export interface DescribedEvent {
  /** The declared name: fields in braces stand for any one segment. */
  readonly name: string;
  /** The description. For a deprecated event it names the replacement. */
  readonly description: string | null;
  readonly deprecated: boolean;
  /** True: the body says which fields have changed. */
  readonly knowsChanges: boolean;
  /** Schema of the data; an empty schema where the event declares none. */
  readonly data: JsonSchema;
  /** An example of the data that a subscriber gets; undefined when there is none. */
  readonly example: unknown;
}

/** Options of both kinds of documents. */
export interface CatalogueDocumentOptions {
  /**
   * Describes the body. Needed where the module's option `envelope` is a function, whose result the library cannot
   * know; the documents then have no examples. Default: the envelope that the application uses, or an empty schema for
   * a function.
   */
  readonly body?: (event: DescribedEvent) => JsonSchema;
  /** Patterns of the events that are described, such as `order.*`. Default: all. */
  readonly events?: readonly string[];
}

/**
 * Source of the events: an application that imports `ThornModule`, or its catalogue. For a catalogue alone,
 * requests are described with the default envelope and signature.
 */
export type CatalogueSource = EventCatalogue | Pick<INestApplicationContext, 'get'>;

export interface DescribedBody {
  readonly schema: JsonSchema;
  readonly example?: unknown;
}

/** Contents of a document: the events that may be subscribed to, by name, and the form of requests. */
export interface DescribedWebhooks {
  readonly events: readonly (DescribedEvent & { readonly body: DescribedBody })[];
  readonly format: WireFormat;
}

/** Collects the contents of a document. @throws {@link ThornConfigurationError} for no catalogue */
export function describeWebhooks(
  source: CatalogueSource,
  { body, events: patterns = ['*'] }: CatalogueDocumentOptions,
): DescribedWebhooks {
  const [catalogue, format] = sourcesOf(source);
  const events = catalogue
    .subscribable()
    .filter((name) => catalogue.isCoveredBy(patterns, name))
    .toSorted()
    .map((name) => described(catalogue.get(name)!))
    .map((event) => ({
      ...event,
      body: body === undefined ? bodyOf(event, format) : { schema: body(event) },
    }));
  return { events, format };
}

function bodyOf(event: DescribedEvent, { envelope, orderInBody }: WireFormat): DescribedBody {
  if (envelope === 'custom') return { schema: {} };
  const example = event.example ?? (isEmpty(event.data) ? {} : undefined);
  const { schema: plain, exampleWith } = ENVELOPES[envelope](event);
  const schema = orderInBody ? withOrder(plain) : plain;
  return example === undefined ? { schema } : { schema, example: exampleWith(example) };
}

/** Document viewers show an empty schema as a text, so an example with an object is better then. */
function isEmpty(schema: JsonSchema): boolean {
  return Object.keys(schema).length === 0;
}

function sourcesOf(source: CatalogueSource): readonly [EventCatalogue, WireFormat] {
  if (source instanceof EventCatalogue) return [source, new WireFormat()];
  if (typeof (source as { get?: unknown } | undefined)?.get !== 'function') {
    throw new ThornConfigurationError(
      'THORN_OPTION_INVALID',
      'The catalogue must be an application that imports ThornModule, or its EventCatalogue.',
    );
  }
  return [source.get(EventCatalogue, { strict: false }), source.get(WireFormat, { strict: false })];
}

function described(declaration: EventDeclaration): DescribedEvent {
  const { name, description, example, deprecated = false, replacedBy } = declaration;
  const note = replacedBy === undefined ? 'Deprecated.' : `Deprecated: use ${replacedBy}.`;
  const texts = [description ?? '', deprecated ? note : ''].filter((text) => text !== '');
  return {
    name,
    description: texts.join(' ') || null,
    deprecated,
    knowsChanges: declaration.changed !== undefined,
    data: dataSchemaOf(declaration) ?? {},
    example,
  };
}
