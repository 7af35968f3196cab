import type { Recipient } from '../message/recipient.js';
import { checkPattern, patternMatches } from './pattern.js';
import {
  type StaticSubscriberRules,
  type SubscriberSource,
  resolveSubscribers,
} from './static-subscribers.js';

/** Static subscribers by pattern of event names: those of the options and those of single events. */
export class StaticSubscriberSet {
  readonly #rules: StaticSubscriberRules;
  readonly #sources: { readonly pattern: string; readonly source: SubscriberSource }[] = [];

  constructor(rules: StaticSubscriberRules) {
    this.#rules = rules;
  }

  /** @throws {@link InvalidInputError} when the pattern is malformed */
  add(pattern: string, source: SubscriberSource): void {
    checkPattern(pattern, 'subscribers');
    this.#sources.push({ pattern, source });
  }

  /** Whom the settings name for an event; callbacks are called anew each time. */
  async match(event: string, sender: string | null): Promise<readonly Recipient[]> {
    const sources = this.#sources
      .filter(({ pattern }) => patternMatches(pattern, event))
      .map(({ source }) => source);
    return sources.length === 0 ? [] : this.resolve(sources, event, sender);
  }

  /** Resolves a source that belongs to one message alone. */
  resolve(
    source: SubscriberSource,
    event: string,
    sender: string | null,
  ): Promise<readonly Recipient[]> {
    return resolveSubscribers(source, event, sender, this.#rules);
  }
}
