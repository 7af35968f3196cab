import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time.js';
import { isIdLike, newId } from '../../common/id.js';
import type { UncheckedPaths } from '../../event/index.js';
import { InvalidInputError } from '../../errors/index.js';
import { hasEnded } from '../../message/recipient.js';
import { isSameSecret } from '../../signing/index.js';
import {
  checkSecretRotation,
  parseOverlap,
  rotated,
  type SecretRotation,
  withoutExpired,
} from './secret-rotation.js';
import {
  checkAddresses,
  checkNewSubscriber,
  checkPageLimit,
  checkSearch,
  checkSubscriberUpdate,
} from './subscriber-checks.js';
import {
  type BodyFields,
  type ChangeTerms,
  type CreationTerms,
  type FilteredEvents,
  SubscriberRules,
} from './subscriber-rules.js';
import {
  type SubscriberPage,
  SubscriberRepository,
  type UpdateTerms,
} from '../model/subscriber.repository.js';
import {
  checkScope,
  isWithin,
  type NewSubscriber,
  type OwnerScope,
  type Subscriber,
  type SubscriberUpdate,
} from '../model/subscriber.js';
import { checkCredentials, checkKept } from '../model/credentials.js';
import { checkHold, checkShape, DEFAULT_FIELDS } from '../model/subscriber-fields.js';
import { type WholeUpdate, writeMerged } from './merged-changes.js';
import { MAX_BY_LENGTH, type SubscriberChangePage } from '../model/subscriber-change.js';
import { checkText } from '../model/field-kinds.js';
import { markVerified, moveTo } from './verification.js';

/** The page of subscribers that {@link Subscribers.list} reads. */
export interface SubscriberQuery {
  /** The greatest number of subscribers on the page, 1 to 1,000. Default 50. */
  readonly limit?: number;
  /** The `next` of the page before. Default null: the first page. */
  readonly after?: string | null;
  /**
   * A text of up to 200 characters that the URL or the description must contain; upper and lower case do not matter.
   * SQLite ignores the case of ASCII letters only, so `Ü` and `ü` differ there. Default: any subscriber.
   */
  readonly search?: string;
}

/** The result of {@link Subscribers.createOrUpdate}. */
export interface StoredSubscriber {
  readonly subscriber: Subscriber;
  /** False: the owner had a subscriber with this key already, and the call has changed it. */
  readonly isNew: boolean;
}

/** The fields that are checked against the events that a subscriber gets. */
const OF_EVENTS = [
  ...(['events', 'exclude', 'filter', 'changed', 'fields', 'thin', 'template'] as const),
  'contentType',
] as const;
/** The defaults have no `enabled`: storing a disabled subscriber again must not enable it. */
const { enabled: ENABLED, ...DEFAULTS } = DEFAULT_FIELDS;

/**
 * Creates, changes and lists subscribers, for the application's code and for the REST API. Every input is checked
 * before it is stored.
 *
 * Limits: 1 to 50 patterns, each once; URL up to 2,048 characters; owner and key up to 255; description up to 1,000; metadata up
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
@Injectable()
export class Subscribers {
  constructor(
    private readonly repository: SubscriberRepository,
    private readonly clock: Clock,
    private readonly rules: SubscriberRules,
  ) {}

  /**
   * Stores a subscriber; it receives every matching message from the moment the promise resolves. With a `key` that its
   * owner has used already, it changes that subscriber instead, as {@link createOrUpdate} does.
   *
   * @returns the subscriber with its id and secret
   * @throws {@link InvalidInputError} whose `field` is the field that is missing, unknown or refused: `url` also when
   * the recipient policy refuses it, `events` also when a pattern can match no known event, `expiresAt` also when it
   * has passed
   * @throws `LimitReachedError` when the owner has as many subscribers as `terms.limits` allows. A subscriber that the
   * call only changes does not count as a further one
   */
  async create(input: NewSubscriber, terms: CreationTerms = {}): Promise<Subscriber> {
    return (await this.createOrUpdate(input, terms)).subscriber;
  }

  /**
   * As {@link create}, and tells whether the subscriber is new. When the owner has a subscriber with this `key`
   * already, the call changes that subscriber: fields that `input` leaves out get their defaults, except `secret` and
   * `enabled`, which stay as they are. When two calls run at the same time, in one process or in two, one creates the
   * subscriber and the other changes it.
   *
   * @example
   * ```ts
   * const { subscriber, isNew } = await subscribers.createOrUpdate({
   *   key: 'crm', owner: user.id, url: 'https://crm.example.com/hooks', events: ['contact.*'],
   * });
   * ```
   */
  async createOrUpdate(input: NewSubscriber, terms: CreationTerms = {}): Promise<StoredSubscriber> {
    const {
      owner = null,
      key = null,
      format = null,
      secret,
      enabled,
      ...given
    } = this.check(input);
    const by = checkBy(terms);
    await checkAddresses(given, this.rules);
    const now = this.clock.now();
    const stated = { ...DEFAULTS, ...given };
    const created: Subscriber = {
      ...stated,
      id: newId('sub_', now),
      owner,
      key,
      secrets: [{ value: secret ?? this.rules.generateSecret(), expiresAt: null }],
      enabled: enabled ?? ENABLED,
      verification:
        terms.isChallenged && !this.#isKnownHost({ ...given, format }) ? 'pending' : 'none',
      format,
      createdAt: new Date(now),
      updatedAt: new Date(now),
    };
    // The loop ends: every round but the last means that another caller has removed the subscriber meanwhile.
    for (;;) {
      const stored = await this.repository.create(created, terms.limits, by);
      if (stored.id === created.id) return { subscriber: stored, isNew: true };
      if (stored.format !== format) {
        throw new InvalidInputError(
          'format',
          'cannot be changed: name the one that the subscriber of this key has, or use another key',
        );
      }
      const latest = stored.secrets[0]?.value ?? '';
      const changes = {
        ...stated,
        // Giving the latest secret again must not end a rotation that is under way.
        ...(secret !== undefined && !isSameSecret(latest, secret) && { secret }),
        ...(enabled !== undefined && { enabled }),
      };
      const updated = await this.#write(stored.id, changes, { owner }, terms);
      if (updated !== null) return { subscriber: updated, isNew: false };
    }
  }

  /**
   * Checks the fields of a new subscriber, and stores nothing.
   *
   * @returns a copy of the given fields
   * @throws {@link InvalidInputError} whose `all` names every field that is missing, unknown or refused
   */
  check(input: NewSubscriber): NewSubscriber {
    const given = checkNewSubscriber(input, this.rules, this.clock.now());
    const whole = { ...DEFAULTS, ...given };
    InvalidInputError.throwAll([
      () => this.filterWarnings(whole),
      () => this.rules.checkBodies?.(whole),
    ]);
    return given;
  }

  /**
   * Checks the fields of a change, and changes nothing.
   *
   * @returns a copy of the given fields
   * @throws {@link InvalidInputError} whose `all` names every field that is unknown or refused
   */
  checkChanges(changes: SubscriberUpdate): SubscriberUpdate {
    return checkSubscriberUpdate(changes, this.rules, this.clock.now());
  }

  /**
   * Returns warnings about the parts of a subscriber that cannot be checked: paths in its filter, `fields` or template, on
   * events without a schema.
   *
   * @throws {@link InvalidInputError} for `filter`, when the filter of the subscriber can never hold
   */
  warnings(subscriber: BodyFields & Pick<Subscriber, 'filter'>): readonly UncheckedPaths[] {
    return [...this.filterWarnings(subscriber), ...(this.rules.checkBodies?.(subscriber) ?? [])];
  }

  /**
   * Returns the warnings about a filter alone.
   *
   * @throws {@link InvalidInputError} for `filter`, when the filter can never hold
   */
  filterWarnings({
    filter,
    events,
    exclude,
  }: FilteredEvents & Pick<Subscriber, 'filter'>): readonly UncheckedPaths[] {
    if (filter === null) return [];
    return this.rules.checkFilter?.(filter, { events, exclude }) ?? [];
  }

  /** Tells whether the end of a subscriber has passed, so that it receives nothing. */
  isExpired(subscriber: Pick<Subscriber, 'expiresAt'>): boolean {
    return hasEnded(subscriber, this.clock.now());
  }

  /** Finds the subscriber with a key. An owner of null means the subscribers of the application itself. */
  async findByKey(
    key: string,
    { owner }: { readonly owner: string | null },
  ): Promise<Subscriber | null> {
    return this.#live(await this.repository.findByKey(owner, key));
  }

  /** Finds a subscriber; null when `scope` does not contain the id. */
  async findById(id: string, scope: OwnerScope): Promise<Subscriber | null> {
    checkScope(scope);
    return isIdLike(id) ? this.#live(await this.repository.findById(id, scope)) : null;
  }

  /**
   * Changes only the given fields.
   *
   * @returns the whole subscriber after the change, or null when there is none of that id within `scope`
   * @throws {@link InvalidInputError} and `LimitReachedError` as {@link create}, and what `terms.check` throws;
   * nothing is changed then
   */
  async update(
    id: string,
    changes: SubscriberUpdate,
    scope: OwnerScope,
    terms: ChangeTerms = {},
  ): Promise<Subscriber | null> {
    checkScope(scope);
    const checked = this.checkChanges(changes);
    checkBy(terms);
    if (!isIdLike(id)) return null;
    await checkAddresses(checked, this.rules);
    const check = (current: Subscriber) => {
      terms.check?.(current);
      checkKept(checked, current);
    };
    return writeMerged(this.repository, [id, scope], checked, { ...terms, check }, (fields, all) =>
      this.#write(id, fields, scope, all),
    );
  }

  /**
   * Replaces the secret by another. The previous secrets keep signing beside the new secret for the overlap, so that
   * the receiver can verify every webhook while it changes over. Secrets that have expired are removed. Two rotations
   * at the same time both take effect. A subscriber has at most 5 live secrets. Other processes sign with the new
   * secret within `maxStaleness`.
   *
   * @returns the subscriber, whose first secret is the new one, or null when there is none of that id within `scope`
   * @throws {@link InvalidInputError} whose `field` is `overlap`, or `secret` when it is too weak, live already, or the
   * sixth live secret; and any error that `terms.check` throws. Nothing is changed then
   * @example
   * ```ts
   * const rotated = await subscribers.rotateSecret(id, { overlap: '24h' }, { owner: user.id });
   * return rotated?.secrets[0]?.value; // shown to its owner once
   * ```
   */
  async rotateSecret(
    id: string,
    rotation: SecretRotation,
    scope: OwnerScope,
    { check, by }: Pick<UpdateTerms, 'check' | 'by'> = {},
  ): Promise<Subscriber | null> {
    checkScope(scope);
    checkBy({ by });
    const { secret = this.rules.generateSecret(), overlap } = checkSecretRotation(
      rotation,
      this.rules,
    );
    const milliseconds = parseOverlap(overlap);
    if (!isIdLike(id)) return null;
    const now = this.clock.now();
    return this.repository.changeSecrets(
      id,
      (secrets, current) => {
        check?.(current);
        return rotated(secrets, secret, milliseconds, now);
      },
      new Date(now),
      scope,
      by,
    );
  }

  /**
   * Ends the overlap of a rotation before its time: only the newest secret signs from then on. Call it when the receiver
   * has the new secret, above all after a leak. Without an overlap nothing changes. Other processes sign with the new
   * secret alone within `maxStaleness`.
   *
   * @returns the subscriber with its one secret, or null when there is none of that id within `scope`
   * @throws any error that `terms.check` throws. Nothing is changed then
   * @example
   * ```ts
   * await subscribers.endRotation(id, { owner: user.id });
   * ```
   */
  async endRotation(
    id: string,
    scope: OwnerScope,
    { check, by }: Pick<UpdateTerms, 'check' | 'by'> = {},
  ): Promise<Subscriber | null> {
    checkScope(scope);
    checkBy({ by });
    if (!isIdLike(id)) return null;
    return this.repository.changeSecrets(
      id,
      (secrets, current) => {
        check?.(current);
        return secrets.slice(0, 1);
      },
      new Date(this.clock.now()),
      scope,
      by,
    );
  }

  /**
   * Deletes a subscriber, which receives no new messages once the promise resolves.
   *
   * @returns false when `scope` does not contain the id
   */
  async delete(
    id: string,
    scope: OwnerScope,
    { check, by }: Pick<UpdateTerms, 'check' | 'by'> = {},
  ): Promise<boolean> {
    checkScope(scope);
    checkBy({ by });
    return isIdLike(id) && this.repository.delete(id, scope, check, by);
  }

  /**
   * Lists one page of the changes of a subscriber, newest first: its creation, changes of its fields by name, and what its
   * endpoint has done. They are kept as long as the delivery log, also when the subscriber is removed.
   *
   * @returns null when `scope` does not contain the id
   * @throws {@link InvalidInputError} whose `field` is `scope`, `limit` or `after`
   * @example
   * ```ts
   * const { items } = (await subscribers.changes(id, { limit: 20 }, { owner: user.id }))!;
   * ```
   */
  async changes(
    id: string,
    { limit = 50, after = null }: Omit<SubscriberQuery, 'search'>,
    scope: OwnerScope,
  ): Promise<SubscriberChangePage | null> {
    checkScope(scope);
    checkPage({ limit, after });
    if (!isIdLike(id)) return null;
    const { audit } = this.repository;
    if ((await this.repository.findById(id, scope)) === null) {
      // Of a subscriber that was removed, the audit alone knows its owner.
      const [last] = (await audit.list(id, { limit: 1, after: null })).items;
      if (last?.kind !== 'removed' || !isWithin(last, scope)) return null;
    }
    const page = await audit.list(id, { limit, after });
    // Behind the next of a page there is a change, unless it has been forgotten since.
    if (after !== null && page.items.length === 0) {
      throw new InvalidInputError('after', 'must be the "next" of an earlier page');
    }
    return page;
  }

  /**
   * Lists one page of the subscribers within `scope`, oldest first. A page of a search may have fewer subscribers than
   * `limit`, or none, although more follow: read on until `next` is null.
   *
   * @throws {@link InvalidInputError} whose `field` is `scope`, `limit`, `after` or `search`
   * @example
   * ```ts
   * const { items, next } = await subscribers.list({ limit: 20 }, { owner: user.id });
   * ```
   */
  async list(query: SubscriberQuery, scope: OwnerScope): Promise<SubscriberPage> {
    checkScope(scope);
    const { limit = 50, after = null, search } = query;
    checkPage({ limit, after });
    const { items, next } = await this.repository.list(scope, {
      ...{ limit, after },
      ...(search !== undefined && { search: checkSearch(search) }),
    });
    return { items: items.map((item) => this.#live(item)), next };
  }

  /**
   * Marks an endpoint as verified; the subscriber then receives webhooks.
   *
   * @param url the URL that was verified
   * @returns null when `scope` does not contain the id, or the subscriber has moved to another URL
   */
  async verify(
    id: string,
    url: string,
    scope: OwnerScope,
    { by }: Pick<UpdateTerms, 'by'> = {},
  ): Promise<Subscriber | null> {
    checkScope(scope);
    checkBy({ by });
    if (!isIdLike(id)) return null;
    const updatedAt = new Date(this.clock.now());
    return this.#live(await markVerified(this.repository, id, { url, updatedAt }, scope, by));
  }

  /** Writes fields that were checked. */
  async #write(
    id: string,
    { secret, ...fields }: WholeUpdate,
    scope: OwnerScope,
    terms: ChangeTerms,
  ): Promise<Subscriber | null> {
    const now = this.clock.now();
    const updatedAt = new Date(now);
    const secrets = secret === undefined ? {} : { secrets: [{ value: secret, expiresAt: null }] };
    const hold = fields.onExhausted === 'skip' ? { holdFor: null } : {};
    const written = { ...fields, ...hold, ...secrets, updatedAt };
    const checked = this.#withCurrentCheck(fields, terms);
    const updated = await (checked.isChallenged && fields.url !== undefined
      ? moveTo(this.repository, id, { ...written, url: fields.url }, scope, {
          ...checked,
          isKnownHost: (current) => this.#isKnownHost(current),
        })
      : this.repository.update(id, written, scope, checked));
    if (updated === null || this.#live(updated) === updated) return updated;
    const live = (stored: Subscriber['secrets']) => withoutExpired(stored, now);
    return this.repository.changeSecrets(id, live, updatedAt, scope);
  }

  /**
   * Checks fields against the other fields as they are stored at the moment of the write, since another request may be
   * changing them.
   */
  #withCurrentCheck(fields: WholeUpdate, terms: ChangeTerms): ChangeTerms {
    const { url, contentType, onExhausted, holdFor, headers, auth } = fields;
    const isOfEvents = OF_EVENTS.some((name) => fields[name] !== undefined);
    const isOfFormat = url !== undefined || contentType !== undefined;
    const isAuthorized = headers !== undefined || auth !== undefined;
    if (!isOfEvents && !isOfFormat && !isAuthorized && (holdFor ?? null) === null) return terms;
    const check = (current: Subscriber) => {
      terms.check?.(current);
      const { format } = current;
      if (url !== undefined) this.rules.formats.checkHost({ url, format });
      if (contentType !== undefined) this.rules.formats.checkContentType({ contentType, format });
      checkHold({ onExhausted: onExhausted ?? current.onExhausted, holdFor: holdFor ?? null });
      checkCredentials({
        headers: headers ?? current.headers,
        auth: auth === undefined ? current.auth : auth,
      });
      if (!isOfEvents) return;
      const given = Object.entries(fields).filter(([, value]) => value !== undefined);
      const whole: Subscriber = { ...current, ...Object.fromEntries(given) };
      checkShape(whole);
      this.warnings(whole);
    };
    return { ...terms, check };
  }

  /** True when the format allows only known hosts, whose consent need not be asked. */
  #isKnownHost({ format }: Pick<NewSubscriber, 'format'>): boolean {
    return this.rules.formats.rulesOf({ format: format ?? null }).hosts !== undefined;
  }

  /** The subscriber without its expired secrets. They stay in the table until the next change of the subscriber. */
  #live<Found extends Subscriber | null>(subscriber: Found): Found {
    if (subscriber === null) return subscriber;
    const { secrets: all } = subscriber;
    const secrets = withoutExpired(all, this.clock.now());
    return secrets === all ? subscriber : { ...subscriber, secrets };
  }
}

/** @throws {@link InvalidInputError} for `by` */
function checkBy({ by }: { readonly by?: string | undefined }): string | undefined {
  return by === undefined ? by : checkText(by, 'by', 1, MAX_BY_LENGTH);
}

/** @throws {@link InvalidInputError} for `limit` or `after` */
function checkPage({
  limit,
  after,
}: {
  readonly limit: number;
  readonly after: string | null;
}): void {
  checkPageLimit(limit);
  if (after === null || isIdLike(after)) return;
  throw new InvalidInputError('after', 'must be the "next" of an earlier page');
}
