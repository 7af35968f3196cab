import { unescape } from 'node:querystring';
import { isObject } from '../common/objects.js';
import { InvalidInputError } from '../errors/index.js';

/** One event, as a document describes it. */
export interface DocumentedEvent {
  /** The declared name: fields in braces stand for any one segment. */
  readonly name: string;
  readonly description: string | null;
  readonly body: unknown;
}

export interface DocumentedEvents {
  readonly kind: 'OpenAPI' | 'AsyncAPI';
  readonly events: readonly DocumentedEvent[];
  /** @throws {@link InvalidInputError} for a `$ref` that points to nothing */
  resolve(ref: string): unknown;
}

type Values = Readonly<Record<string, unknown>>;

/** @param field the name of the document in errors */
export function documentedEvents(document: unknown, field = 'document'): DocumentedEvents {
  const resolve = (ref: string) => {
    const found = at(document, ref);
    if (found !== undefined) return found;
    throw new InvalidInputError(
      field,
      `must hold all that it refers to: nothing is at ${ref.slice(0, 100)}`,
    );
  };
  const isOfVersion3 = (key: string) => String(at(document, `#/${key}`) ?? '3.').startsWith('3.');
  const webhooks = at(document, '#/webhooks');
  const messages = at(document, '#/components/messages');
  if (isOfVersion3('openapi') && isObject(webhooks)) {
    const events = ofOpenApi(webhooks, resolve);
    if (events.length > 0) return { kind: 'OpenAPI', events, resolve };
  }
  if (isOfVersion3('asyncapi') && isObject(messages)) {
    const events = ofAsyncApi(messages);
    if (events.length > 0) return { kind: 'AsyncAPI', events, resolve };
  }
  const [openapi, asyncapi] = [at(document, '#/openapi'), at(document, '#/asyncapi')];
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

function ofOpenApi(
  webhooks: Values,
  resolve: DocumentedEvents['resolve'],
): readonly DocumentedEvent[] {
  return Object.entries(webhooks).flatMap(([name, given]) => {
    const item =
      isObject(given) && typeof given['$ref'] === 'string' ? resolve(given['$ref']) : given;
    const content = at(item, '#/post/requestBody/content/application~1json');
    if (!isObject(content)) return [];
    const { schema } = content;
    const [text, deprecated] = [at(item, '#/post/description'), at(item, '#/post/deprecated')];
    // The schema is marked as deprecated, as an AsyncAPI document marks it, so that documents of both kinds can be compared
    // alike.
    const body = deprecated === true && isObject(schema) ? { ...schema, deprecated } : schema;
    return [{ name, description: firstPart(text), body }];
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

/** Removes the text about signatures, with which every description ends. */
function firstPart(text: unknown): string | null {
  const part = typeof text === 'string' ? text.split('\n\n')[0]! : '';
  return part === '' || part.startsWith('Requests are signed') ? null : part;
}

export function at(document: unknown, pointer: string): unknown {
  if (!pointer.startsWith('#/')) return undefined;
  let value = document;
  for (const part of pointer.slice(2).split('/')) {
    const key = unescape(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}
