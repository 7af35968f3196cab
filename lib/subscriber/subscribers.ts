import type { Clock } from '../common/clock.js';
import { newId } from '../common/id.js';
import { InvalidInputError } from '../errors/index.js';
import { checkNewSubscriber, checkSubscriberUpdate } from './subscriber-input.js';
import type { SubscriberRules } from './subscriber-rules.js';
import type { SubscriberPage, SubscriberRepository } from './subscriber.repository.js';
import type { NewSubscriber, OwnerScope, Subscriber, SubscriberUpdate } from './subscriber.js';

/** Most subscribers that one page of a list holds. */
export const MAX_PAGE_LIMIT = 1000;

// What an id can look like in any repository; anything else cannot be one, and some databases refuse it as a parameter.
const ID = /^[\x21-\x7e]{1,64}$/;

/**
 * Creates, changes and lists subscribers: what an application's code and the REST API call. Everything is checked
 * here, before anything is stored.
 *
 * Limits: 1 to 50 patterns, each once; URL up to 2,048 characters; owner up to 255; description up to 1,000; metadata up
 * to 20 entries with names up to 64 and values up to 512 characters.
 *
 * @example
 * ```ts
 * const { id, secrets } = await subscribers.create({
 *   url: 'https://example.com/hooks',
 *   events: ['article.*'],
 *   owner: user.id,
 * });
 * await subscribers.update(id, { enabled: false }, { owner: user.id });
 * ```
 */
export class Subscribers {
  readonly #repository: SubscriberRepository;
  readonly #clock: Clock;
  readonly #rules: SubscriberRules;

  constructor(repository: SubscriberRepository, clock: Clock, rules: SubscriberRules) {
    this.#repository = repository;
    this.#clock = clock;
    this.#rules = rules;
  }

  /**
   * Stores a new subscriber; it receives every matching message from the moment the promise resolves.
   *
   * @returns the subscriber with its id and secret
   * @throws {@link InvalidInputError} whose `field` is the one that is missing, unknown or refused: `url` also when the
   * recipient policy refuses it, `events` also when a pattern can match no known event
   */
  async create(input: NewSubscriber): Promise<Subscriber> {
    const given = checkNewSubscriber(input, this.#rules);
    const now = this.#clock.now();
    return this.#repository.create({
      id: newId('sub_', now),
      owner: given.owner ?? null,
      url: given.url,
      events: given.events,
      contentType: given.contentType ?? 'application/json',
      digest: given.digest ?? 'sha256',
      secrets: [{ value: given.secret ?? this.#rules.generateSecret(), expiresAt: null }],
      enabled: given.enabled ?? true,
      description: given.description ?? null,
      metadata: given.metadata ?? {},
      createdAt: new Date(now),
      updatedAt: new Date(now),
    });
  }

  /** The subscriber, or null when there is none of that id within `scope`. */
  async findById(id: string, scope: OwnerScope): Promise<Subscriber | null> {
    return isId(id) ? this.#repository.findById(id, scope) : null;
  }

  /**
   * Changes the given fields alone.
   *
   * @returns the whole subscriber after the change, or null when there is none of that id within `scope`
   * @throws {@link InvalidInputError} as {@link create}; nothing is changed then
   */
  async update(
    id: string,
    changes: SubscriberUpdate,
    scope: OwnerScope,
  ): Promise<Subscriber | null> {
    const { secret, ...fields } = checkSubscriberUpdate(changes, this.#rules);
    if (!isId(id)) return null;
    return this.#repository.update(
      id,
      {
        ...fields,
        ...(secret === undefined ? {} : { secrets: [{ value: secret, expiresAt: null }] }),
        updatedAt: new Date(this.#clock.now()),
      },
      scope,
    );
  }

  /** @returns whether there was one of that id within `scope`; it receives nothing new once the promise resolves */
  async delete(id: string, scope: OwnerScope): Promise<boolean> {
    return isId(id) && this.#repository.delete(id, scope);
  }

  /**
   * One page of the subscribers within `scope`, oldest first.
   *
   * @param page.limit 1 to {@link MAX_PAGE_LIMIT}
   * @param page.after the `next` of the page before
   * @throws {@link InvalidInputError} whose `field` is `limit` or `after`
   */
  async list(
    scope: OwnerScope,
    page: { readonly limit: number; readonly after?: string | null },
  ): Promise<SubscriberPage> {
    const { limit, after = null } = page;
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE_LIMIT) {
      throw new InvalidInputError('limit', `must be a whole number from 1 to ${MAX_PAGE_LIMIT}`);
    }
    if (after !== null && !isId(after)) {
      throw new InvalidInputError('after', 'must be the "next" of an earlier page');
    }
    return this.#repository.list(scope, { limit, after });
  }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}
