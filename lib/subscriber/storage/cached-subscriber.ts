import type { Secret } from '../../message/recipient.js';
import { type DeliveryOrder, NO_ORDER } from '../model/order-check.js';
import type { Subscriber } from '../model/subscriber.js';

/** Settings that few subscribers have. */
type RareSettings = DeliveryOrder & Pick<Subscriber, 'rateLimit'>;

const USUAL: RareSettings = { ...NO_ORDER, rateLimit: null };

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
  declare readonly rateLimit: Subscriber['rateLimit'];
  declare readonly ordered: Subscriber['ordered'];
  declare readonly onExhausted: Subscriber['onExhausted'];
  declare readonly holdFor: Subscriber['holdFor'];
  readonly contentType: Subscriber['contentType'];
  readonly digest: Subscriber['digest'];
  declare readonly secrets: Subscriber['secrets'];
  readonly enabled: Subscriber['enabled'];
  readonly verification: Subscriber['verification'];
  readonly description: Subscriber['description'];
  readonly metadata: Subscriber['metadata'];
  declare readonly createdAt: Subscriber['createdAt'];
  declare readonly updatedAt: Subscriber['updatedAt'];

  /** The value alone, of the usual single secret that does not expire. */
  readonly #secrets: string | readonly Secret[];
  readonly #rare: RareSettings;
  readonly #createdAt: number;
  /** Milliseconds since then, mostly 0: a small number takes no room of its own. */
  readonly #changedAfter: number;

  constructor(subscriber: Subscriber) {
    this.id = subscriber.id;
    this.owner = subscriber.owner;
    this.url = subscriber.url;
    this.events = subscriber.events;
    this.exclude = subscriber.exclude;
    this.filter = subscriber.filter;
    this.contentType = subscriber.contentType;
    this.digest = subscriber.digest;
    this.enabled = subscriber.enabled;
    this.verification = subscriber.verification;
    this.description = subscriber.description;
    this.metadata = subscriber.metadata;
    const [secret] = subscriber.secrets;
    const isUsual = subscriber.secrets.length === 1 && secret!.expiresAt === null;
    this.#secrets = isUsual ? secret!.value : subscriber.secrets;
    const { rateLimit, ordered, onExhausted, holdFor } = subscriber;
    const isRare = rateLimit !== null || ordered || onExhausted !== 'skip';
    this.#rare = isRare ? { rateLimit, ordered, onExhausted, holdFor } : USUAL;
    this.#createdAt = subscriber.createdAt.getTime();
    this.#changedAfter = subscriber.updatedAt.getTime() - this.#createdAt;
    // Properties of the object itself, so that a copy by `...` has them; the functions are shared.
    Object.defineProperties(this, CachedSubscriber.#MADE_WHEN_READ);
    Object.freeze(this);
  }

  static readonly #MADE_WHEN_READ: PropertyDescriptorMap & ThisType<CachedSubscriber> = {
    secrets: {
      enumerable: true,
      get() {
        const secrets = this.#secrets;
        return typeof secrets === 'string' ? [{ value: secrets, expiresAt: null }] : secrets;
      },
    },
    rateLimit: {
      enumerable: true,
      get() {
        return this.#rare.rateLimit;
      },
    },
    ordered: {
      enumerable: true,
      get() {
        return this.#rare.ordered;
      },
    },
    onExhausted: {
      enumerable: true,
      get() {
        return this.#rare.onExhausted;
      },
    },
    holdFor: {
      enumerable: true,
      get() {
        return this.#rare.holdFor;
      },
    },
    createdAt: {
      enumerable: true,
      get() {
        return new Date(this.#createdAt);
      },
    },
    updatedAt: {
      enumerable: true,
      get() {
        return new Date(this.#createdAt + this.#changedAfter);
      },
    },
  };
}
