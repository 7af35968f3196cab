import { InvalidInputError } from '../../errors/index.js';
import { MAX_PATTERN_LENGTH } from '../../subscriber/index.js';
import { all, flag, list, nullable, text, type ValueOf } from '../../common/json-schema.js';
import { dataSchemaOf, type EventCatalogue, type EventDeclaration } from '../../event/index.js';

/** An event that may be subscribed to. A field in braces in its name stands for any one segment. */
const EVENT_TYPE = {
  name: text,
  description: nullable(text),
  deprecated: { ...flag, description: 'Do not begin with it' },
  replacedBy: nullable({ ...text, description: 'The event to subscribe to instead' }),
  changed: nullable({
    ...list(text),
    description:
      'The fields whose change its messages tell, for the field changed of a subscriber; empty: any field; null: none',
  }),
};

/** An event with everything that is known of its data. It has the schema also where a class declares it. */
export const EVENT_TYPE_DETAILS = all({
  ...EVENT_TYPE,
  schema: nullable<JsonSchema>({ type: 'object', additionalProperties: true }),
  example: {},
});
export const EVENT_TYPES = all({ items: list(all(EVENT_TYPE)) });

type JsonSchema = Readonly<Record<string, unknown>>;
export type EventTypeDetailsView = ValueOf<typeof EVENT_TYPE_DETAILS>;
export type EventTypesView = ValueOf<typeof EVENT_TYPES>;

export function eventTypesView(declarations: readonly EventDeclaration[]): EventTypesView {
  return { items: declarations.map(eventTypeView) };
}

function eventTypeView({
  name,
  description,
  deprecated = false,
  replacedBy,
  changed,
}: EventDeclaration): EventTypesView['items'][number] {
  return {
    name,
    description: description ?? null,
    deprecated,
    replacedBy: replacedBy ?? null,
    changed: changed === 'any' ? [] : (changed ?? null),
  };
}

export function eventTypeDetailsView(declaration: EventDeclaration): EventTypeDetailsView {
  return {
    ...eventTypeView(declaration),
    schema: dataSchemaOf(declaration),
    example: exampleFrom(declaration),
  };
}

export function subscribableEvents(catalogue: EventCatalogue): readonly EventDeclaration[] {
  return catalogue.subscribable().map((name) => catalogue.get(name)!);
}

/** @throws {@link InvalidInputError} when the event may not be subscribed to, or has fields in its name */
export function exampleOf(catalogue: EventCatalogue, event: string): unknown {
  const declaration = subscribableEvents(catalogue).find(({ name }) => name === event);
  if (declaration === undefined) {
    throw new InvalidInputError('event', 'must be thorn.ping or one of the event types', {
      reason: 'unknown-event',
      pattern: event.slice(0, MAX_PATTERN_LENGTH),
    });
  }
  if (event.includes('{')) {
    throw new InvalidInputError(
      'event',
      'must not have fields in its name: there is no example of it',
      { reason: 'hidden-event', pattern: event },
    );
  }
  return exampleFrom(declaration) ?? {};
}

export function exampleFrom({ example, schema }: EventDeclaration): unknown {
  if (example !== undefined) return example;
  const { example: one, examples } = (typeof schema === 'object' ? schema : {}) as {
    readonly example?: unknown;
    readonly examples?: unknown;
  };
  return one ?? (Array.isArray(examples) ? examples[0] : null) ?? null;
}
