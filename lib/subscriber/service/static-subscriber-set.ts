import { errorText, FaultLog } from '../../common/index.js';
import { InvalidInputError, ThornConfigurationError } from '../../errors/index.js';
import { compileEventName } from '../../event/index.js';
import type { Recipient, SubscriberSource } from '../../message/index.js';
import { covers, namesOfSegments } from '../../event/event-patterns.js';
import { checkPattern, patternMatches } from '../matching/pattern.js';
import type { BodyFields } from './subscriber-rules.js';
import {
  constantSubscribers,
  named,
  resolveSubscribers,
  type StaticSubscriberRules,
} from './static-subscribers.js';

/** One source of subscribers, and the events that they receive. */
interface Entry {
  readonly isOf: (event: string) => boolean;
  readonly source: SubscriberSource;
  readonly rules: StaticSubscriberRules;
  /** Where the application has declared them, for error texts. */
  readonly declaration: string;
  /** The pattern, or the name of an event as declared, its fields in braces. */
  readonly pattern: string;
  /** The subscribers that are known without a message. */
  readonly constants: readonly Recipient[];
}

/** The recipients that the application's options name for one message. */
export interface NamedRecipients {
  readonly recipients: readonly Recipient[];
  /** False: a callback threw, and may succeed next time. */
  readonly isComplete: boolean;
}

const SHOWN_FAULTS = 3;

/**
 * The static subscribers: subscribers of the option `subscribers`, by pattern, and subscribers of single events. Each
 * is checked when it is added, as far as its URL is known then: a function names its subscribers only when there is a
 * message.
 */
export class StaticSubscriberSet {
  readonly #faults = new FaultLog();
  readonly #entries: Entry[] = [];
  readonly #patterns: string[] = [];

  constructor(private readonly rules: StaticSubscriberRules) {}

  /** The patterns of the option `subscribers`. */
  get patterns(): readonly string[] {
    return this.#patterns;
  }

  /** @throws {@link ThornConfigurationError} when the pattern is malformed, or one of the subscribers is refused */
  add(pattern: string, source: SubscriberSource): void {
    blaming(`The option subscribers: the pattern '${pattern}'`, () => checkPattern(pattern));
    const declaration = `The option subscribers: those of '${pattern}'`;
    const { rules } = this;
    const constants = blaming(declaration, () => constantSubscribers(source, rules));
    const isOf = (event: string) => patternMatches(pattern, event);
    this.#patterns.push(pattern);
    this.#entries.push({ isOf, source, rules, declaration, pattern, constants });
  }

  /**
   * @param name of the event as declared, its fields in braces
   * @param rules the rules of this event, where they differ from the rules of the set
   * @throws {@link ThornConfigurationError} when one of the subscribers is refused
   */
  addForEvent(
    name: string,
    source: SubscriberSource,
    rules: Partial<StaticSubscriberRules> = {},
  ): void {
    const ownRules = { ...this.rules, ...rules };
    const declaration = `The subscribers of the event ${name}`;
    const constants = blaming(declaration, () => constantSubscribers(source, ownRules));
    // This is not a pattern: a field at the end stands for one segment, but a wildcard at the end would stand for any
    // number of segments.
    const names = namesOfSegments(compileEventName(name).segments);
    const isOf = (event: string) => covers(names, namesOfSegments(event.split('.')));
    this.#entries.push({ isOf, source, rules: ownRules, declaration, pattern: name, constants });
  }

  /**
   * Checks the subscribers against the events that they get, once all events are declared.
   *
   * @throws {@link ThornConfigurationError} when the check refuses a subscriber
   */
  checkBodies(check: (subscriber: BodyFields) => unknown): void {
    for (const { declaration, pattern, constants } of this.#entries) {
      for (const { changed = null, fields = null, thin = false, template = null } of constants) {
        const shape = { changed, fields, thin, template };
        blaming(declaration, () =>
          named(() => check({ events: [pattern], exclude: [], ...shape })),
        );
      }
    }
  }

  /**
   * Finds the recipients that the options name for an event. Callbacks run for every event. A callback that throws or
   * returns an invalid subscriber is logged and left out, so that the other recipients still get the event.
   */
  async match(event: string, owner: string | null): Promise<NamedRecipients> {
    const recipients: Recipient[] = [];
    const faults: unknown[] = [];
    for (const { isOf, source, rules } of this.#entries) {
      if (!isOf(event)) continue;
      recipients.push(
        ...(await resolveSubscribers(source, event, owner, rules, (fault) => faults.push(fault))),
      );
    }
    if (faults.length > 0) this.#logFaults(event, faults);
    return { recipients, isComplete: faults.every(isWrong) };
  }

  /**
   * Tells whether the options name a source for an event. The recipients are known only when the source is resolved for
   * a message.
   */
  covers(event: string): boolean {
    return this.#entries.some(({ isOf }) => isOf(event));
  }

  /**
   * Resolves a source that belongs to a single message. Returns a promise for a function or a generator, which may
   * answer later.
   */
  resolve(
    source: SubscriberSource,
    event: string,
    owner: string | null,
    rules: Partial<StaticSubscriberRules> = {},
  ): readonly Recipient[] | Promise<readonly Recipient[]> {
    const all = { ...this.rules, ...rules };
    let isConstant = true;
    const found = constantSubscribers(source, all, () => (isConstant = false));
    return isConstant
      ? [...new Map(found.map((recipient) => [recipient.id, recipient])).values()]
      : resolveSubscribers(source, event, owner, all);
  }

  #logFaults(event: string, faults: readonly unknown[]): void {
    const reasons = [...new Set(faults.map(errorText))];
    const more = reasons.length > SHOWN_FAULTS ? `; and ${reasons.length - SHOWN_FAULTS} more` : '';
    this.#faults.tell(
      `${event}: static subscribers are left out: ${reasons.slice(0, SHOWN_FAULTS).join('; ')}${more}`,
    );
  }
}

/** True when a source returned an invalid subscriber, which is permanent, unlike a list that could not be fetched. */
function isWrong(fault: unknown): boolean {
  return fault instanceof InvalidInputError && fault.field === 'subscribers';
}

function blaming<Value>(what: string, check: () => Value): Value {
  try {
    return check();
  } catch (error) {
    const reason =
      error instanceof InvalidInputError ? error.reason : `are refused: ${errorText(error)}`;
    throw new ThornConfigurationError(
      'THORN_OPTION_INVALID',
      `${what} ${reason}.`,
      error instanceof InvalidInputError ? error.data : {},
      error,
    );
  }
}
