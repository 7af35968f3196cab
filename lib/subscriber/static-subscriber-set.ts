import { compileEventName } from '../event/index.js';
import type { Recipient, SubscriberSource } from '../message/index.js';
import { checkPattern, patternMatches } from './pattern.js';
import { resolveSubscribers, type StaticSubscriberRules } from './static-subscribers.js';

/** One source, and the events that it is for. */
interface Entry {
  readonly covers: (event: string) => boolean;
  readonly source: SubscriberSource;
  readonly rules: StaticSubscriberRules;
}

/** Static subscribers: those of the options, by pattern, and those of single events. */
export class StaticSubscriberSet {
  readonly #rules: StaticSubscriberRules;
  readonly #entries: Entry[] = [];

  constructor(rules: StaticSubscriberRules) {
    this.#rules = rules;
  }

  /** @throws {@link InvalidInputError} when the pattern is malformed */
  add(pattern: string, source: SubscriberSource): void {
    checkPattern(pattern, 'subscribers');
    const covers = (event: string) => patternMatches(pattern, event);
    this.#entries.push({ covers, source, rules: this.#rules });
  }

  /**
   * @param name of the event as declared, its fields in braces
   * @param rules where they differ from those of all
   */
  addForEvent(
    name: string,
    source: SubscriberSource,
    rules: Partial<StaticSubscriberRules> = {},
  ): void {
    const { segments } = compileEventName(name);
    // Not a pattern: a field at the end stands for one segment, where a wildcard would stand for any number.
    const covers = (event: string) => {
      const sent = event.split('.');
      return (
        sent.length === segments.length &&
        segments.every((segment, index) => segment === null || segment === sent[index])
      );
    };
    this.#entries.push({ covers, source, rules: { ...this.#rules, ...rules } });
  }

  /** Whom the settings name for an event; callbacks are called anew each time. */
  async match(event: string, sender: string | null): Promise<readonly Recipient[]> {
    const found: Recipient[] = [];
    for (const { covers, source, rules } of this.#entries) {
      if (covers(event)) found.push(...(await resolveSubscribers(source, event, sender, rules)));
    }
    return found;
  }

  /** Resolves a source that belongs to one message alone. */
  resolve(
    source: SubscriberSource,
    event: string,
    sender: string | null,
    rules: Partial<StaticSubscriberRules> = {},
  ): Promise<readonly Recipient[]> {
    return resolveSubscribers(source, event, sender, { ...this.#rules, ...rules });
  }
}
