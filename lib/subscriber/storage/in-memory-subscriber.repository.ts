import { Injectable, Optional } from '@nestjs/common';
import { Clock, SystemClock } from '../../common/time.js';
import { hasEnded, type Secret } from '../../message/recipient.js';
import { SubscriberIndex } from '../matching/subscriber-index.js';
import {
  type MatchCriteria,
  type SubscriberListQuery,
  type SubscriberPage,
  SubscriberRepository,
  type UpdateTerms,
  type SubscriberLimits,
} from '../model/subscriber.repository.js';
import { APPLICATION, changeOf, type FailureFigures, WORKER } from '../model/subscriber-change.js';
import type { SubscriberAudit } from '../model/subscriber-audit.js';
import { InMemoryAudit } from './in-memory-audit.js';
import { SubscriberRowMapper } from './subscriber-row-mapper.js';
import { freeSlots, hostnameOf } from './quota-slots.js';
import {
  isActive,
  isWithin,
  type OwnerScope,
  type Subscriber,
  type SubscriberChanges,
} from '../model/subscriber.js';

/**
 * Keeps subscribers in the memory of this process, which loses them when it ends: for tests, and for applications
 * without a database.
 */
@Injectable()
export class InMemorySubscriberRepository extends SubscriberRepository {
  override readonly audit: SubscriberAudit = new InMemoryAudit();
  readonly #subscribers = new Map<string, Subscriber>();
  /** The times at which the ends of subscribers were reported, by the ids of the subscribers. */
  readonly #expired = new Map<string, number>();
  readonly #index = new SubscriberIndex();
  readonly #inactive = new SubscriberIndex((subscriber) => !isActive(subscriber));

  /** @param clock default: the time of the system */
  constructor(@Optional() private readonly clock: Clock = new SystemClock()) {
    super();
  }

  override async create(
    subscriber: Subscriber,
    limits?: SubscriberLimits,
    by = APPLICATION,
  ): Promise<Subscriber> {
    if (this.#subscribers.has(subscriber.id)) {
      throw new Error(`There is a subscriber ${subscriber.id} already`);
    }
    const { owner, key } = subscriber;
    const keyed = key === null ? undefined : this.#keyed(owner, key);
    if (keyed !== undefined) return keyed;
    this.#checkLimits(subscriber, limits);
    this.#note('created', subscriber, { at: subscriber.createdAt.getTime(), by });
    return this.#store(subscriber);
  }

  override async findByKey(owner: string | null, key: string): Promise<Subscriber | null> {
    return this.#keyed(owner, key) ?? null;
  }

  override async markExpired(now: number, limit: number): Promise<readonly Subscriber[]> {
    const ended = [...this.#subscribers.values()].filter((one) => hasEnded(one, now));
    const marked = ended.filter(({ id }) => !this.#expired.has(id)).slice(0, limit);
    for (const one of marked) {
      this.#expired.set(one.id, now);
      this.#note('expired', one, { at: now, by: WORKER });
    }
    return marked;
  }

  override async removeExpired(before: number, limit: number): Promise<number> {
    const told = [...this.#expired].filter(([, at]) => at <= before).slice(0, limit);
    for (const [id] of told) await this.delete(id, 'any', undefined, WORKER);
    return told.length;
  }

  override async findById(id: string, scope: OwnerScope): Promise<Subscriber | null> {
    return this.#find(id, scope);
  }

  override async update(
    id: string,
    changes: SubscriberChanges & { readonly updatedAt: Date },
    scope: OwnerScope,
    { limits, check, by }: UpdateTerms = {},
  ): Promise<Subscriber | null> {
    const subscriber = this.#find(id, scope);
    if (subscriber === null) return null;
    check?.(subscriber);
    const changed = { ...subscriber, ...changes };
    if (hostnameOf(changed.url) !== hostnameOf(subscriber.url)) this.#checkLimits(changed, limits);
    if (changes.expiresAt !== undefined) this.#expired.delete(id);
    this.#noteChanged(subscriber, changed, by);
    return this.#store(changed);
  }

  override async disable(id: string, updatedAt: Date, figures?: FailureFigures): Promise<boolean> {
    const subscriber = this.#find(id, 'any');
    if (subscriber === null || !subscriber.enabled) return false;
    const details = { at: updatedAt.getTime(), by: WORKER, ...(figures && { figures }) };
    this.#note('disabled', subscriber, details);
    this.#store({ ...subscriber, enabled: false, updatedAt });
    return true;
  }

  override async changeSecrets(
    id: string,
    change: (secrets: readonly Secret[], current: Subscriber) => readonly Secret[],
    updatedAt: Date,
    scope: OwnerScope,
    by?: string,
  ): Promise<Subscriber | null> {
    const subscriber = this.#find(id, scope);
    if (subscriber === null) return null;
    const secrets = change(subscriber.secrets, subscriber);
    const changed = { ...subscriber, secrets, updatedAt };
    this.#noteChanged(subscriber, changed, by);
    return this.#store(changed);
  }

  override async delete(
    id: string,
    scope: OwnerScope,
    check?: (current: Subscriber) => void,
    by = APPLICATION,
  ): Promise<boolean> {
    const subscriber = this.#find(id, scope);
    if (subscriber === null) return false;
    check?.(subscriber);
    this.#note('removed', subscriber, { at: this.clock.now(), by });
    this.#subscribers.delete(id);
    this.#expired.delete(id);
    this.#index.delete(id);
    this.#inactive.delete(id);
    return true;
  }

  override async list(scope: OwnerScope, page: SubscriberListQuery): Promise<SubscriberPage> {
    const { limit, after = null, search } = page;
    const rest = [...this.#subscribers.values()]
      .filter(({ id }) => after === null || id > after)
      .filter((subscriber) => isWithin(subscriber, scope))
      .filter((subscriber) => search === undefined || holdsText(subscriber, search))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const items = rest.slice(0, limit);
    return { items, next: rest.length > limit ? items.at(-1)!.id : null };
  }

  override async countDisabled(scope: OwnerScope = 'any'): Promise<number> {
    return [...this.#subscribers.values()].filter((one) => !one.enabled && isWithin(one, scope))
      .length;
  }

  override match(criteria: MatchCriteria): readonly Subscriber[] {
    return this.#index.match(criteria);
  }

  override isUnheard(criteria: MatchCriteria): boolean {
    return !this.#index.hears(criteria) && !this.#inactive.hears(criteria);
  }

  #noteChanged(before: Subscriber, after: Subscriber, by = APPLICATION): void {
    const mapper = new SubscriberRowMapper();
    const fields = mapper.changedFields(mapper.toRow(before), after);
    if (fields.length > 0)
      this.#note('changed', after, { at: after.updatedAt.getTime(), by, fields });
  }

  #note(...change: Parameters<typeof changeOf>): void {
    this.audit.record([changeOf(...change)]);
  }

  #keyed(owner: string | null, key: string): Subscriber | undefined {
    return [...this.#subscribers.values()].find((one) => one.owner === owner && one.key === key);
  }

  #checkLimits({ id, url, owner }: Subscriber, limits: SubscriberLimits | undefined): void {
    if (owner === null || limits === undefined) return;
    const rows = [...this.#subscribers.values()]
      .filter((other) => other.owner === owner)
      .map((other) => ({ ...other, ownerSlot: null, hostSlot: null }));
    freeSlots({ id, url, owner }, rows, limits);
  }

  #find(id: string, scope: OwnerScope): Subscriber | null {
    const subscriber = this.#subscribers.get(id);
    return subscriber !== undefined && isWithin(subscriber, scope) ? subscriber : null;
  }

  #store(subscriber: Subscriber): Subscriber {
    // A copy, so that the caller's later changes to its lists and dates do not reach into the store.
    const stored = Object.freeze(structuredClone(subscriber));
    this.#subscribers.set(stored.id, stored);
    this.#index.set(stored);
    this.#inactive.set(stored);
    return stored;
  }
}

/** Tells whether the URL or the description contains a text, whatever the case of its letters. */
function holdsText({ url, description }: Subscriber, text: string): boolean {
  const sought = text.toLowerCase();
  return [url, description ?? ''].some((one) => one.toLowerCase().includes(sought));
}
