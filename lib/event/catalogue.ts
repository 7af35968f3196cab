import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { shownNames } from '../common/log.js';
import { InvalidInputError, type RefusalCode, ThornConfigurationError } from '../errors/index.js';
import type { EventDeclaration, EventDefinitions } from './define-events.js';
import { checkEventName, compileEventName } from './event-name.js';
import {
  covers,
  type PatternCoverage,
  namesOfPattern,
  namesOfSegments,
  overlap,
} from './event-patterns.js';

/** The module's options for the catalogue. */
export abstract class EventSettings {
  /** Names and patterns of the events that may be subscribed to. Default: every declared one. */
  abstract readonly eventTypes?: readonly string[] | undefined;
  /** True: events that are not declared cannot be sent by hand. Default false. */
  abstract readonly strictEvents?: boolean | undefined;
  /** Events that are sent by hand, and descriptions; see {@link defineEvents}. */
  abstract readonly events?: EventDefinitions | readonly EventDefinitions[] | undefined;
}

/** The patterns of a subscriber. */
export interface SubscribedEvents {
  readonly events: readonly string[];
  readonly exclude: readonly string[];
}

interface Entry {
  readonly declaration: EventDeclaration;
  readonly names: PatternCoverage;
}

/**
 * The events that one application declares; complete once the application has started. An application that declares no
 * events may send, and subscribe to, any event.
 */
@Injectable()
export class EventCatalogue {
  readonly #entries = new Map<string, Entry>();
  readonly #eventTypes: readonly string[];
  readonly #allowed: readonly PatternCoverage[] | undefined;
  readonly #isStrict: boolean;

  /** @throws {@link ThornConfigurationError} when an event type is not a name or pattern, or `events` are not definitions */
  constructor(options: EventSettings = {}) {
    this.#allowed = namesOfEventTypes(options.eventTypes);
    this.#eventTypes = options.eventTypes ?? [];
    this.#isStrict = options.strictEvents === true;
    for (const { declarations } of definitionsOf(options.events)) {
      for (const declaration of declarations) this.declare(declaration);
    }
  }

  /**
   * Makes an event known. The same event may be declared several times, by a base class and its subclasses, by two
   * methods, or by one place that sends it and another that describes it.
   *
   * @throws {@link ThornConfigurationError} naming both places, when they mean different things: two entities, an
   * entity and a method, or two descriptions or schemas that differ
   * @throws {@link InvalidInputError} for a wrong name
   */
  declare(declaration: EventDeclaration): void {
    const known = this.#entries.get(declaration.name);
    if (known === undefined) {
      const { segments } = compileEventName(declaration.name);
      this.#entries.set(declaration.name, { declaration, names: namesOfSegments(segments) });
      return;
    }
    const difference = differenceOf(known.declaration, declaration);
    if (difference !== undefined) {
      throw new ThornConfigurationError(
        'THORN_EVENT_DECLARED_TWICE',
        `The event ${declaration.name} is declared by ${known.declaration.source} and by ${declaration.source}, ${difference}; rename one of them`,
        { event: declaration.name, sources: [known.declaration.source, declaration.source] },
      );
    }
    this.#entries.set(declaration.name, {
      names: known.names,
      declaration: merged(known.declaration, declaration),
    });
  }

  /** Every declared name, fields in braces, in the order of declaration. */
  names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** The declared names that may be subscribed to. */
  subscribable(): readonly string[] {
    return [...this.#entries.values()]
      .filter(({ names }) => this.#allowed?.some((allowed) => overlap(allowed, names)) ?? true)
      .map(({ declaration }) => declaration.name);
  }

  /** Patterns of all events that subscribers may get, declared or not. A field at the end is a `*`, which matches more. */
  offeredPatterns(): readonly string[] {
    return (
      this.#allowed?.map(({ segments }) => segments.map((segment) => segment ?? '*').join('.')) ?? [
        '*',
      ]
    );
  }

  /** Tells whether subscribers may get an event of this name, as sent. */
  offers(sentName: string): boolean {
    return this.#allows(namesOfSegments(sentName.split('.')));
  }

  /** @param name as declared, with its fields in braces */
  get(name: string): EventDeclaration | undefined {
    return this.#entries.get(name)?.declaration;
  }

  /** Checks the name of an event that is sent by hand. @throws {@link InvalidInputError} for `event` */
  checkSent(name: string): void {
    checkEventName(name);
    if (!this.#isStrict || this.has(name)) return;
    throw new InvalidInputError(
      'event',
      `${name} is not declared; declare it with defineEvents() or @WebhookEvent`,
    );
  }

  /**
   * Checks the names of changed fields of an event that is sent by hand, against those that its declaration names.
   *
   * @throws {@link InvalidInputError} for `changed`
   */
  checkSentChanges(name: string, changed: readonly string[]): void {
    const { changed: known = 'any' } = this.declarationOf(name) ?? {};
    if (known === 'any') return;
    const unknown = changed.find((field) => !known.includes(field));
    if (unknown === undefined) return;
    throw new InvalidInputError(
      'changed',
      `must not hold ${unknown}, which the declaration of ${name} does not name; it names ${shownNames(known)}`,
    );
  }

  /** Tells whether a name, as sent, is declared: fields stand for any one segment. */
  has(name: string): boolean {
    return this.declarationOf(name) !== undefined;
  }

  /** The declaration of an event: the declaration with exactly this name, else the first whose fields fit. */
  declarationOf(sentName: string): EventDeclaration | undefined {
    if (sentName.includes('{')) return undefined;
    const sent = namesOfSegments(sentName.split('.'));
    const entry =
      this.#entries.get(sentName) ??
      [...this.#entries.values()].find(({ names }) => covers(names, sent));
    return entry?.declaration;
  }

  /** Tells whether one of the patterns matches a declared event, whatever its fields hold. */
  isCoveredBy(patterns: readonly string[], name: string): boolean {
    const declared = this.#entries.get(name);
    if (declared === undefined) return false;
    return patterns.some((one) => one === name || covers(namesOfPattern(one), declared.names));
  }

  /** The patterns of the option `eventTypes` that match no declared event. */
  unmatchedEventTypes(): readonly string[] {
    const declared = [...this.#entries.values()];
    return this.#eventTypes.filter(
      (_, index) => !declared.some(({ names }) => overlap(this.#allowed![index]!, names)),
    );
  }

  /** @throws {@link ThornConfigurationError} for an event that is replaced by one that is not declared */
  checkReplacements(): void {
    for (const { declaration } of this.#entries.values()) {
      const { name, replacedBy } = declaration;
      if (replacedBy === undefined || this.#entries.has(replacedBy)) continue;
      throw new ThornConfigurationError(
        'THORN_DECLARATION_INVALID',
        `defineEvents(): ${name} is replaced by ${replacedBy}, which is not declared. Declare it, or correct replacedBy`,
        { event: name, replacedBy },
      );
    }
  }

  /** Tells whether a pattern, whose syntax has been checked, can match a declared event. */
  isMatchedBy(pattern: string): boolean {
    const asked = namesOfPattern(pattern);
    return [...this.#entries.values()].some(({ names }) => overlap(asked, names));
  }

  /**
   * Refuses a subscriber's pattern that can match no declared event, or one that `eventTypes` keeps from subscribers:
   * `*` passes only if every declared event may be subscribed to. Where no event is declared, only `eventTypes` counts.
   *
   * @param pattern one whose syntax has been checked
   * @throws {@link InvalidInputError} for `events`
   */
  checkPatternKnown(pattern: string): void {
    const asked = namesOfPattern(pattern);
    const matched = [...this.#entries.values()].filter(({ names }) => overlap(asked, names));
    if (this.#entries.size > 0 && matched.length === 0) {
      this.#refuse(pattern, 'which matches no event');
    }
    const hidden =
      this.#entries.size === 0
        ? !this.#allows(asked)
        : !this.#allows(asked) && !matched.every(({ names }) => this.#allows(names));
    if (hidden) {
      this.#refuse(pattern, 'which matches events that cannot be subscribed to', 'hidden-event');
    }
  }

  /**
   * Checks the names of fields whose change a subscriber asks for, against the events that it gets.
   *
   * @throws {@link InvalidInputError} for `changed`, when one of the events knows no changes, or none has such a field
   */
  checkChanged(changed: readonly string[], subscriber: SubscribedEvents): void {
    const events = this.gotBy(subscriber);
    const silent = events.filter((event) => event.changed === undefined).map(({ name }) => name);
    if (silent.length > 0) {
      throw new InvalidInputError(
        'changed',
        `is for events that know which fields have changed, and ${shownNames(silent)} ${silent.length === 1 ? 'does' : 'do'} not: leave ${silent.length === 1 ? 'it' : 'them'} out of events, or name ${silent.length === 1 ? 'it' : 'them'} in exclude`,
        { reason: 'no-changes', events: silent },
      );
    }
    const known = events.map((event) => event.changed!);
    if (events.length === 0 || known.includes('any')) return;
    const names = [...new Set(known.flat())];
    const unknown = changed.find((name) => !names.includes(name));
    if (unknown === undefined) return;
    throw new InvalidInputError(
      'changed',
      `must not hold ${unknown}, which is no field of these events; there are ${shownNames(names)}`,
      { reason: 'unknown-path', path: unknown },
    );
  }

  /** Returns the events that a subscriber gets, in the order of their declaration. */
  gotBy({ events, exclude }: SubscribedEvents): readonly EventDeclaration[] {
    const [asked, excluded] = [events.map(namesOfPattern), exclude.map(namesOfPattern)];
    return [...this.#entries.values()]
      .filter(
        ({ names }) =>
          asked.some((one) => overlap(one, names)) && !excluded.some((one) => covers(one, names)),
      )
      .map(({ declaration }) => declaration);
  }

  #allows(names: PatternCoverage): boolean {
    return this.#allowed?.some((allowed) => covers(allowed, names)) ?? true;
  }

  #refuse(pattern: string, reason: string, code: RefusalCode = 'unknown-event'): never {
    const known = this.subscribable();
    const hint = known.length === 0 ? '' : `; there are ${shownNames(known)}`;
    throw new InvalidInputError('events', `must not hold ${pattern}, ${reason}${hint}`, {
      reason: code,
      pattern,
    });
  }
}

function namesOfEventTypes(eventTypes: unknown): readonly PatternCoverage[] | undefined {
  if (eventTypes === undefined) return undefined;
  if (Array.isArray(eventTypes)) return eventTypes.map(namesOfEventType);
  throw new ThornConfigurationError(
    'THORN_OPTION_INVALID',
    "The option eventTypes must be a list of event names and patterns, for example ['article.*'].",
  );
}

function definitionsOf(events: unknown = []): readonly EventDefinitions[] {
  const all: readonly unknown[] = Array.isArray(events) ? events : [events];
  if (all.every(isDefinitions)) return all;
  throw new ThornConfigurationError(
    'THORN_OPTION_INVALID',
    "The option events must be the result of defineEvents(), or a list of results: events: defineEvents({ 'order.flagged': { … } }).",
  );
}

function isDefinitions(value: unknown): value is EventDefinitions {
  const { declarations } = (value ?? {}) as { readonly declarations?: unknown };
  return Array.isArray(declarations);
}

function namesOfEventType(eventType: unknown): PatternCoverage {
  try {
    // A wildcard stands for a segment as a field does.
    const name = compileEventName(
      typeof eventType === 'string' ? eventType.replaceAll(/(?<=^|\.)\*(?=\.|$)/g, '{any}') : '',
    );
    return { segments: name.segments, open: String(eventType).endsWith('*') };
  } catch (error) {
    throw new ThornConfigurationError(
      'THORN_OPTION_INVALID',
      `eventTypes: ${JSON.stringify(eventType)} is not an event name or pattern, such as article.created or article.*`,
      { eventType },
      error,
    );
  }
}

/** The first difference between two declarations of the same event; undefined when there is none. */
function differenceOf(one: EventDeclaration, other: EventDeclaration): string | undefined {
  if (one.description !== undefined && other.description !== undefined) {
    if (one.description !== other.description) return 'with different descriptions';
  }
  if (one.schema !== undefined && other.schema !== undefined) {
    if (!isDeepStrictEqual(one.schema, other.schema)) return 'with different schemas';
  }
  const origins = [one.origin, other.origin].filter(
    (origin) => origin === 'entity' || origin === 'method',
  );
  if (origins.length < 2 || one.source === other.source || !origins.includes('entity')) {
    return undefined;
  }
  return 'which send different things';
}

/** Joins two declarations: the place that sends the event is its source, a description adds to that. */
function merged(one: EventDeclaration, other: EventDeclaration): EventDeclaration {
  const owner = (one.origin ?? 'defined') === 'defined' ? other : one;
  const changes = [one.changed, other.changed].filter((changed) => changed !== undefined);
  const changed = changes.includes('any') ? 'any' : [...new Set(changes.flat())];
  return { ...one, ...other, ...owner, ...(changes.length > 0 && { changed }) };
}
