import { Injectable } from '@nestjs/common';
import { RecipientPolicies, type RecipientPolicy } from '../../delivery/index.js';
import { ThornConfigurationError } from '../../errors/index.js';
import { EventCatalogue, type MethodEvent, methodEventsOf } from '../../event/index.js';
import type { MessageSettings, SubscriberSource } from '../../message/index.js';
import { StaticSubscriberSet } from '../../subscriber/index.js';
import {
  type RecordedOptions,
  type RecordedTrigger,
  triggersOf,
} from '../../event/entity-events.js';
import type { RowTable } from '../table/row-table.js';

/** The receivers that a declaration names. */
interface Receivers {
  readonly subscribers?: SubscriberSource | undefined;
  readonly recipients?: MessageSettings['recipients'] | undefined;
}

interface EntityEvents {
  readonly events: readonly {
    readonly name: string;
    readonly declaredBy: string;
    readonly options: Receivers & { readonly on: unknown };
    readonly table: Pick<RowTable, 'declarationOf'>;
  }[];
  readonly changeable: readonly string[];
}

/** The properties of the result of `defineTableEvents()` that identify its events. */
interface DeclaredTable {
  readonly declaration: string;
  readonly events: readonly {
    readonly name: string;
    readonly options: Receivers & Pick<RecordedOptions, 'on'>;
  }[];
}

/** Makes the events that decorators declare known to one application, with the receivers that they name. */
@Injectable()
export class DeclaredEvents {
  readonly #seen = new Set<MethodEvent>();
  readonly #sources = new Map<string, Set<SubscriberSource>>();

  constructor(
    private readonly catalogue: EventCatalogue,
    private readonly statics: StaticSubscriberSet,
    private readonly policies: RecipientPolicies,
  ) {}

  /** @throws {@link ThornConfigurationError} when an event of that name is declared with another meaning */
  addEntities(plans: readonly EntityEvents[]): void {
    for (const { events, changeable } of plans) {
      for (const { name, declaredBy, options, table } of events) {
        const changed = options.on === 'change' ? { changed: changeable } : {};
        this.catalogue.declare({ name, source: declaredBy, origin: 'entity', ...changed });
        this.#addSubscribers(name, table.declarationOf(name), options);
      }
    }
  }

  /** @throws {@link ThornConfigurationError} when an event of that name is declared with another meaning */
  addTables(tables: readonly DeclaredTable[]): void {
    for (const { declaration, events } of tables) {
      for (const { name, options } of events) {
        // The columns are known only once the database was asked for them.
        const changed = triggersOf(options).some(isChange) ? { changed: 'any' as const } : {};
        this.catalogue.declare({ name, source: declaration, origin: 'entity', ...changed });
        this.#addSubscribers(name, `${declaration}, event ${name}`, options);
      }
    }
  }

  /** @throws {@link ThornConfigurationError} when an event of that name is declared with another meaning */
  addMethods(type: { readonly name: string; readonly prototype?: object }): void {
    if (type.prototype === undefined) return;
    for (const event of methodEventsOf(type.prototype)) {
      this.catalogue.declare({
        name: event.name,
        source: `${type.name}.${event.method}`,
        origin: 'method',
      });
      this.#addMethodSubscribers(event, type.name);
    }
  }

  // A subclass inherits its base's declarations: the same one, met twice.
  #addMethodSubscribers(event: MethodEvent, type: string): void {
    if (this.#seen.has(event)) return;
    this.#seen.add(event);
    const declaration = `@WebhookEvent('${event.name}') on ${type}.${event.method}`;
    this.#addSubscribers(event.name, declaration, event);
  }

  #addSubscribers(name: string, declaration: string, { subscribers, recipients }: Receivers): void {
    const policy = this.#policyOf(recipients, declaration);
    if (subscribers === undefined || this.#isKnown(name, subscribers)) return;
    this.statics.addForEvent(name, subscribers, { checkUrl: (url) => policy.checkUrl(url) });
  }

  #policyOf(rules: MessageSettings['recipients'], declaration: string): RecipientPolicy {
    try {
      return this.policies.of(rules);
    } catch (error) {
      throw new ThornConfigurationError(
        'THORN_DECLARATION_INVALID',
        `${declaration}: recipients: ${(error as Error).message}`,
        { declaration },
        error,
      );
    }
  }

  // Per event: several may name the same receivers.
  #isKnown(name: string, subscribers: SubscriberSource): boolean {
    const known = this.#sources.get(name) ?? new Set();
    this.#sources.set(name, known);
    const before = known.size;
    return known.add(subscribers).size === before;
  }
}

function isChange(trigger: RecordedTrigger): boolean {
  return trigger === 'change' || (typeof trigger === 'object' && 'change' in trigger);
}
