import { isObject } from '../common/objects.js';
import type { JsonSchema } from '../event/index.js';
import { at, type DocumentedEvent, documentedEvents } from './documented-events.js';
import { comment, SchemaTypes } from './typescript-types.js';

/**
 * Writes TypeScript types of all events of a document, for receivers: a type for each body, and the union
 * `WebhookPayload` of all bodies, discriminated by the name of the event.
 *
 * @param document OpenAPI 3.1 with `webhooks`, or AsyncAPI 3.0, as an object
 * @throws `InvalidInputError` for `document` when it describes no webhooks, or when a `$ref` points to nothing
 */
export function webhookTypes(document: unknown): string {
  const { events, resolve } = documentedEvents(document);
  const types = new SchemaTypes(resolve);
  const named = withTypeNames(events);
  const bodies = named.map(({ name, typeName, description, body }) => {
    const type = types.typeOf(withEventName(body, name, resolve));
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

/** Marks the name of an event that has fields. The schema of the name is a pattern, which TypeScript types cannot express. */
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

/** Writes the marked name as a template literal type, such as `order.${string}`, in which each field stands for any text. */
function eventTyped(type: string, name: string): string {
  const template = name.replaceAll('`', '').replaceAll(/\{[^}]*\}/g, () => '${string}');
  return type.replace(JSON.stringify(EVENT_MARK), () => `\`${template}\``);
}

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
