import { InvalidInputError } from '../../errors/index.js';
import { MAX_PATTERN_LENGTH } from '../../subscriber/index.js';
import { dataSchemaOf, type EventCatalogue, type EventDeclaration } from '../../event/index.js';

/** An event that may be subscribed to. */
export class EventTypeView {
  /** As declared: fields in braces stand for any one segment. */
  readonly name: string;
  readonly description: string | null;

  constructor({ name, description }: EventDeclaration) {
    this.name = name;
    this.description = description ?? null;
  }
}

/** An event with everything that is known of its data. */
export class EventTypeDetailsView extends EventTypeView {
  /** JSON Schema of the data, also where a class declares it; null where no class or option declares it. */
  readonly schema: Readonly<Record<string, unknown>> | null;
  /** Data as a subscriber may get it; null when there is none. */
  readonly example: unknown;

  constructor(declaration: EventDeclaration) {
    super(declaration);
    this.schema = dataSchemaOf(declaration);
    this.example = exampleFrom(declaration);
  }
}

/** The list of {@link EventTypeView}. */
export class EventTypesView {
  constructor(readonly items: readonly EventTypeView[]) {}
}

/** The declarations that may be subscribed to. */
export function subscribableEvents(catalogue: EventCatalogue): readonly EventDeclaration[] {
  return catalogue.subscribable().map((name) => catalogue.get(name)!);
}

/**
 * Data for a test.
 *
 * @param event name of an event as declared
 * @throws {@link InvalidInputError} for `event` when it may not be subscribed to, or has fields in its name
 */
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

function exampleFrom({ example, schema }: EventDeclaration): unknown {
  if (example !== undefined) return example;
  const { example: one, examples } = (typeof schema === 'object' ? schema : {}) as {
    readonly example?: unknown;
    readonly examples?: unknown;
  };
  return one ?? (Array.isArray(examples) ? examples[0] : null) ?? null;
}
