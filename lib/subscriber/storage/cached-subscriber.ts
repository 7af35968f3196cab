import type { Secret } from '../../message/recipient.js';
import type { Subscriber } from '../model/subscriber.js';

/** What a {@link CachedSubscriber} is made of. */
export type SubscriberFields = Omit<Subscriber, 'createdAt' | 'updatedAt' | 'expiresAt'> & {
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number | null;
  readonly revision: number;
};

/**
 * A subscriber as it is kept in memory, where there may be very many: what is rarely read takes less room and is made
 * when it is read. In all other respects the same object.
 */
export class CachedSubscriber implements Subscriber {
  readonly id: Subscriber['id'];
  readonly owner: Subscriber['owner'];
  readonly url: Subscriber['url'];
  readonly events: Subscriber['events'];
  readonly exclude: Subscriber['exclude'];
  readonly filter: Subscriber['filter'];
  readonly rateLimit: Subscriber['rateLimit'];
  readonly ordered: Subscriber['ordered'];
  readonly onExhausted: Subscriber['onExhausted'];
  readonly holdFor: Subscriber['holdFor'];
  readonly contentType: Subscriber['contentType'];
  readonly digest: Subscriber['digest'];
  declare readonly secrets: Subscriber['secrets'];
  readonly enabled: Subscriber['enabled'];
  readonly verification: Subscriber['verification'];
  readonly description: Subscriber['description'];
  readonly metadata: Subscriber['metadata'];
  declare readonly expiresAt: Subscriber['expiresAt'];
  declare readonly key: Subscriber['key'];
  declare readonly format: Subscriber['format'];
  declare readonly createdAt: Subscriber['createdAt'];
  declare readonly updatedAt: Subscriber['updatedAt'];

  /** The value alone, of the usual single secret that does not expire. */
  readonly #secrets: string | readonly Secret[];
  /** Null where all of them are null, as they mostly are. */
  readonly #rare: Pick<SubscriberFields, 'expiresAt' | 'key' | 'format'> | null;
  readonly #createdAt: number;
  /** Milliseconds since then, mostly 0: a small number takes no room of its own. */
  readonly #changedAfter: number;
  readonly #revision: number;

  /** @param subscriber its fields, the times in milliseconds, and the revision of its row */
  constructor(subscriber: SubscriberFields) {
    this.id = subscriber.id;
    this.owner = subscriber.owner;
    this.url = subscriber.url;
    this.events = subscriber.events;
    this.exclude = subscriber.exclude;
    this.filter = subscriber.filter;
    this.rateLimit = subscriber.rateLimit;
    this.ordered = subscriber.ordered;
    this.onExhausted = subscriber.onExhausted;
    this.holdFor = subscriber.holdFor;
    this.contentType = subscriber.contentType;
    this.digest = subscriber.digest;
    this.enabled = subscriber.enabled;
    this.verification = subscriber.verification;
    this.description = subscriber.description;
    this.metadata = subscriber.metadata;
    const [secret] = subscriber.secrets;
    const isUsual = subscriber.secrets.length === 1 && secret!.expiresAt === null;
    this.#secrets = isUsual ? secret!.value : subscriber.secrets;
    const { expiresAt, key, format } = subscriber;
    const hasRare = expiresAt !== null || key !== null || format !== null;
    this.#rare = hasRare ? { expiresAt, key, format } : null;
    this.#createdAt = subscriber.createdAt;
    this.#changedAfter = subscriber.updatedAt - this.#createdAt;
    this.#revision = subscriber.revision;
    // Properties of the object itself, so that a copy by `...` has them; the functions are shared. One by one, which
    // takes half as long as `defineProperties()`.
    Object.defineProperty(this, 'secrets', CachedSubscriber.#SECRETS);
    Object.defineProperty(this, 'expiresAt', CachedSubscriber.#EXPIRES_AT);
    Object.defineProperty(this, 'key', CachedSubscriber.#KEY);
    Object.defineProperty(this, 'format', CachedSubscriber.#FORMAT);
    Object.defineProperty(this, 'createdAt', CachedSubscriber.#CREATED_AT);
    Object.defineProperty(this, 'updatedAt', CachedSubscriber.#UPDATED_AT);
    Object.freeze(this);
  }

  /** The revision of its row: not a property of its own, so that copies do not have it. */
  get revision(): number {
    return this.#revision;
  }

  static readonly #SECRETS: MadeWhenRead = {
    enumerable: true,
    get() {
      const secrets = this.#secrets;
      return typeof secrets === 'string' ? [{ value: secrets, expiresAt: null }] : secrets;
    },
  };
  static readonly #EXPIRES_AT: MadeWhenRead = {
    enumerable: true,
    get() {
      const at = this.#rare?.expiresAt ?? null;
      return at === null ? null : new Date(at);
    },
  };
  static readonly #KEY: MadeWhenRead = {
    enumerable: true,
    get() {
      return this.#rare?.key ?? null;
    },
  };
  static readonly #FORMAT: MadeWhenRead = {
    enumerable: true,
    get() {
      return this.#rare?.format ?? null;
    },
  };
  static readonly #CREATED_AT: MadeWhenRead = {
    enumerable: true,
    get() {
      return new Date(this.#createdAt);
    },
  };
  static readonly #UPDATED_AT: MadeWhenRead = {
    enumerable: true,
    get() {
      return new Date(this.#createdAt + this.#changedAfter);
    },
  };
}

type MadeWhenRead = PropertyDescriptor & ThisType<CachedSubscriber>;
