import { isObject } from '../common/objects.js';
import { InvalidInputError } from '../errors/index.js';
import type { JsonSchema } from '../event/index.js';
import { comment, SchemaTypes } from './typescript-types.js';

/** One event, as a document describes it. */
interface DocumentedEvent {
  readonly name: string;
  readonly description: string | null;
  readonly body: unknown;
}

type Values = Readonly<Record<string, unknown>>;

/**
 * Writes TypeScript types of all events of a document, for receivers: a type for each body, and `WebhookPayload`, the
 * union of all, discriminated by the event's name.
 *
 * @param document OpenAPI 3.1 with `webhooks`, or AsyncAPI 3.0, as an object
 * @throws {@link InvalidInputError} for `document` when it describes no webhooks
 */
export function webhookTypes(document: unknown): string {
  if (!isObject(document)) throw invalidDocument();
  const events = isObject(document['webhooks'])
    ? ofOpenApi(document['webhooks'])
    : ofAsyncApi(document);
  if (events.length === 0) throw invalidDocument();
  const types = new SchemaTypes((ref) => at(document, ref));
  const named = withTypeNames(events);
  const bodies = named.map(({ name, typeName, description, body }) => {
    const type = types.typeOf(withEventName(body, name, at.bind(null, document)));
    return `${comment(description ?? name, '')}export type ${typeName} = ${eventTyped(type, name)};\n`;
  });
  const members = named.map(
    ({ name, typeName }) => `  readonly ${JSON.stringify(name)}: ${typeName};\n`,
  );
  return [
    '// Made by `thorn types`; changes are lost when it is made again.\n',
    ...bodies,
    `/** The bodies by the events' names. */\nexport interface WebhookPayloads {\n${members.join('')}}\n`,
    '/** The body of any event. */\nexport type WebhookPayload = WebhookPayloads[keyof WebhookPayloads];\n',
  ].join('\n');
}

function invalidDocument(): InvalidInputError {
  return new InvalidInputError(
    'document',
    'must be an OpenAPI 3.1 document with webhooks, or an AsyncAPI 3.0 document with messages',
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

function ofAsyncApi(document: Values): readonly DocumentedEvent[] {
  const messages = at(document, '#/components/messages');
  if (!String(document['asyncapi']).startsWith('3.') || !isObject(messages)) return [];
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

/** Marks the event's name where it has fields: its schema is a pattern, which types cannot express as such. */
function withEventName(body: unknown, name: string, resolve: (ref: string) => unknown): unknown {
  const schema = isObject(body) && typeof body['$ref'] === 'string' ? resolve(body['$ref']) : body;
  if (!name.includes('{') || !isObject(schema) || !isObject(schema['properties'])) return schema;
  const properties = schema['properties'];
  const key = ['type', 'event'].find((name) => at(properties, `#/${name}/pattern`) !== undefined);
  if (key === undefined) return schema;
  return {
    ...schema,
    properties: { ...properties, [key]: { const: EVENT_MARK } },
  } satisfies JsonSchema;
}

const EVENT_MARK = '\0event';

/** Writes the marked name as a template in which each field stands for any text. */
function eventTyped(type: string, name: string): string {
  const template = name.replaceAll('`', '').replaceAll(/\{[^}]*\}/g, () => '${string}');
  return type.replace(JSON.stringify(EVENT_MARK), () => `\`${template}\``);
}

/** Gives each event a type name of its own. */
function withTypeNames(events: readonly DocumentedEvent[]) {
  const taken = new Set<string>(['WebhookPayload', 'WebhookPayloads']);
  return events.map((event) => {
    const words = event.name.match(/[A-Za-z0-9]+/g) ?? [];
    const joined = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
    const base = `${/^[A-Za-z]/.test(joined) ? joined : `Event${joined}`}Webhook`;
    let typeName = base;
    for (let n = 2; taken.has(typeName); n++) typeName = `${base}${n}`;
    taken.add(typeName);
    return { ...event, typeName };
  });
}

/** Resolves a JSON pointer in the document. */
function at(document: unknown, pointer: string): unknown {
  if (!pointer.startsWith('#/')) return undefined;
  let value = document;
  for (const part of pointer.slice(2).split('/')) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}
