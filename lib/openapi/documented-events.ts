import { isObject } from '../common/objects.js';
import { InvalidInputError } from '../errors/index.js';

/** One event, as a document describes it. */
export interface DocumentedEvent {
  /** The declared name: fields in braces stand for any one segment. */
  readonly name: string;
  readonly description: string | null;
  /** Schema of the body. */
  readonly body: unknown;
}

/** The events of a document. */
export interface DocumentedEvents {
  readonly kind: 'OpenAPI' | 'AsyncAPI';
  readonly events: readonly DocumentedEvent[];
  /** Resolves a `$ref` of the document; undefined when there is nothing. */
  resolve(ref: string): unknown;
}

type Values = Readonly<Record<string, unknown>>;

/**
 * Reads the events of an OpenAPI 3.1 document with `webhooks`, or of an AsyncAPI 3.0 document.
 *
 * @param field the name that an error has for the document
 * @throws {@link InvalidInputError} for `field` when it describes no webhooks
 */
export function documentedEvents(document: unknown, field = 'document'): DocumentedEvents {
  const resolve = at.bind(null, document);
  const isOfVersion3 = (key: string) => String(resolve(`#/${key}`) ?? '3.').startsWith('3.');
  const webhooks = resolve('#/webhooks');
  const messages = resolve('#/components/messages');
  if (isOfVersion3('openapi') && isObject(webhooks)) {
    const events = ofOpenApi(webhooks);
    if (events.length > 0) return { kind: 'OpenAPI', events, resolve };
  }
  if (isOfVersion3('asyncapi') && isObject(messages)) {
    const events = ofAsyncApi(messages);
    if (events.length > 0) return { kind: 'AsyncAPI', events, resolve };
  }
  const [openapi, asyncapi] = [resolve('#/openapi'), resolve('#/asyncapi')];
  const found =
    openapi === undefined ? `AsyncAPI ${String(asyncapi)}` : `OpenAPI ${String(openapi)}`;
  throw new InvalidInputError(
    field,
    'must be an OpenAPI 3.1 document with webhooks, or an AsyncAPI 3.0 document with messages' +
      (openapi === undefined && asyncapi === undefined
        ? ''
        : `; this one is ${found.slice(0, 40)}`),
  );
}

function ofOpenApi(webhooks: Values): readonly DocumentedEvent[] {
  return Object.entries(webhooks).flatMap(([name, item]) => {
    const content = at(item, '#/post/requestBody/content/application~1json');
    if (!isObject(content)) return [];
    const text = at(item, '#/post/description');
    return [{ name, description: firstPart(text), body: content['schema'] }];
  });
}

function ofAsyncApi(messages: Values): readonly DocumentedEvent[] {
  return Object.entries(messages).flatMap(([key, message]) => {
    if (!isObject(message)) return [];
    const { name, description, payload } = message;
    const body = isObject(payload) && 'schemaFormat' in payload ? payload['schema'] : payload;
    return [
      { name: typeof name === 'string' ? name : key, description: firstPart(description), body },
    ];
  });
}

/** Removes the text about signatures that every description ends with. */
function firstPart(text: unknown): string | null {
  const part = typeof text === 'string' ? text.split('\n\n')[0]! : '';
  return part === '' || part.startsWith('Requests are signed') ? null : part;
}

/** Resolves a JSON pointer in the document. */
export function at(document: unknown, pointer: string): unknown {
  if (!pointer.startsWith('#/')) return undefined;
  let value = document;
  for (const part of pointer.slice(2).split('/')) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}
