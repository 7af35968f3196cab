import type { RecipientPolicies } from '../delivery/index.js';
import { type EventCatalogue, type MethodEvent, methodEventsOf } from '../event/index.js';
import type { MessageSettings, SubscriberSource } from '../message/index.js';
import type { StaticSubscriberSet } from '../subscriber/index.js';
import type { EntityPlan } from './entity-plan.js';

/** Makes the events that decorators declare known to one application, with the receivers that they name. */
export class DeclaredEvents {
  readonly #seen = new Set<unknown>();

  constructor(
    private readonly catalogue: EventCatalogue,
    private readonly statics: StaticSubscriberSet,
    private readonly policies: RecipientPolicies,
  ) {}

  /** @throws {@link ThornConfigurationError} when another place declares an event of that name with another meaning */
  addEntities(plans: readonly EntityPlan[]): void {
    for (const { events } of plans) {
      for (const { name, declaredBy, options } of events) {
        this.catalogue.declare({ name, source: declaredBy, origin: 'entity' });
        this.#addSubscribers(name, options);
      }
    }
  }

  /** @throws {@link ThornConfigurationError} when another place declares an event of that name with another meaning */
  addMethods(type: { readonly name: string; readonly prototype?: object }): void {
    if (type.prototype === undefined) return;
    for (const event of methodEventsOf(type.prototype)) {
      this.catalogue.declare({
        name: event.name,
        source: `${type.name}.${event.method}`,
        origin: 'method',
      });
      this.#addMethodSubscribers(event);
    }
  }

  // A subclass inherits its base's declarations: the same one, met twice.
  #addMethodSubscribers(event: MethodEvent): void {
    if (this.#seen.has(event)) return;
    this.#seen.add(event);
    this.#addSubscribers(event.name, event);
  }

  #addSubscribers(
    name: string,
    {
      subscribers,
      recipients,
    }: {
      readonly subscribers?: SubscriberSource;
      readonly recipients?: MessageSettings['recipients'] | undefined;
    },
  ): void {
    const policy = this.policies.of(recipients);
    if (subscribers === undefined || this.#seen.has(subscribers)) return;
    this.#seen.add(subscribers);
    this.statics.addForEvent(name, subscribers, { checkUrl: (url) => policy.checkUrl(url) });
  }
}
