import { createHash } from 'node:crypto';
import { KeyedMutex } from '../common/waiting.js';
import type { Clock } from '../common/index.js';
import { InvalidInputError } from '../errors/index.js';
import type { Secret } from '../message/index.js';
import { isSameSecret } from '../signing/index.js';
import {
  isActive,
  LimitReachedError,
  type NewSubscriber,
  type Subscriber,
  type SubscriberPage,
  type SubscriberRepository,
  type Subscribers,
} from '../subscriber/index.js';
import type { Callback } from './callback.js';
import { callbackRefused, McpEventsError } from './mcp-events.error.js';
import { MCP_FORMAT, metadataOf, subscriptionOf } from './mcp-format.js';
import type { EventSelection } from './offered-event.js';
import type { SubscriptionParams } from './subscription-params.js';

/** How long a replaced secret goes on signing, in milliseconds. */
const OVERLAP = 5 * 60_000;
/** Replaced secrets that sign: of a client that changes them more often, the latest. */
const MAX_REPLACED = 3;

/** The principal that asks, and the owner whose subscribers are meant. */
interface Caller {
  readonly principal: string;
  readonly owner: string;
}

/** Keeps subscriptions as subscribers of the format `mcp`: one for each principal, URL, event and arguments. */
export class McpSubscriptions {
  readonly #creations = new KeyedMutex();
  /** Creations under way, by principal. */
  readonly #waiting = new Map<string, number>();

  constructor(
    private readonly subscribers: Subscribers,
    private readonly repository: SubscriberRepository,
    private readonly callback: Callback,
    private readonly clock: Clock,
    private readonly maxSubscriptions: number,
  ) {}

  /**
   * Creates a subscription, or refreshes an existing one.
   *
   * @param ttl milliseconds until its end
   * @throws {@link McpEventsError} when there are too many subscriptions, or the endpoint of a new one cannot be
   *   verified
   * @throws {@link InvalidInputError} as `Subscribers.create()`
   */
  async put(
    asked: Caller & SubscriptionParams & EventSelection & { readonly secret: string },
    ttl: number,
  ): Promise<{ readonly id: string; readonly expiresAt: Date }> {
    const { principal, url, owner, events, exclude, filter, secret } = asked;
    const { id, key } = namesOf(asked);
    const metadata = metadataOf(asked.name, id);
    const changes = { events, exclude, filter, metadata, enabled: true };
    const input = { ...changes, url, owner, secret, key, format: MCP_FORMAT };
    this.subscribers.check(input);
    const expiresAt = () => new Date(this.clock.now() + ttl);
    const present = await this.subscribers.findByKey(key, { owner });
    let stored: Subscriber | null = null;
    // Its owner may have moved it, and back: then its endpoint is not verified any more.
    const isSame = present?.url === url && present.verification !== 'pending';
    if (isSame && !this.subscribers.isExpired(present)) {
      const refreshed = { ...changes, expiresAt: expiresAt() };
      stored = await this.subscribers.update(present.id, refreshed, { owner });
    }
    stored ??= await this.#alone(principal, async () => {
      await this.#admit({ principal, owner }, input, id);
      return this.#create({ ...input, expiresAt: expiresAt() }, principal);
    });
    await this.#replaceSecret(stored, secret);
    return { id, expiresAt: stored.expiresAt! };
  }

  /** Ends a subscription, if there is one. */
  async remove(asked: Caller & SubscriptionParams): Promise<void> {
    const { owner } = asked;
    const present = await this.subscribers.findByKey(namesOf(asked).key, { owner });
    if (present !== null) await this.subscribers.delete(present.id, { owner });
  }

  /** Ends all subscriptions of a principal, and tells each endpoint once. @returns their number */
  async endAll(caller: Caller, error: object): Promise<number> {
    // Waits for running creations, which would otherwise create the subscription again afterwards.
    const ended = await this.#creations.run(caller.principal, async () => {
      const live = (await this.#allOf(caller)).filter((one) => !this.subscribers.isExpired(one));
      for (const { id } of live) await this.subscribers.delete(id, { owner: caller.owner });
      return live;
    });
    const control = { type: 'terminated', error };
    const told = ended.map((one) => this.callback.send(one, subscriptionOf(one), control));
    await Promise.allSettled(told);
    return ended.length;
  }

  /** Runs the creations of a principal one at a time: they are counted, and endpoints are not asked in masses. */
  async #alone<Result>(principal: string, creation: () => Promise<Result>): Promise<Result> {
    const waiting = this.#waiting.get(principal) ?? 0;
    if (waiting >= this.maxSubscriptions) throw this.#tooMany();
    this.#waiting.set(principal, waiting + 1);
    try {
      return await this.#creations.run(principal, creation);
    } finally {
      const left = this.#waiting.get(principal)! - 1;
      if (left > 0) this.#waiting.set(principal, left);
      else this.#waiting.delete(principal);
    }
  }

  /** Makes room for a subscription of a principal, and verifies an endpoint that no other one has. */
  async #admit(caller: Caller, { key, url, secret }: NewSubscriber, id: string): Promise<void> {
    const others = (await this.#allOf(caller)).filter((one) => one.key !== key);
    const live = others.filter((one) => !this.subscribers.isExpired(one));
    if (live.length >= this.maxSubscriptions) throw this.#tooMany();
    // Subscriptions that have ended are kept for days, and count as well.
    if (others.length >= this.maxSubscriptions) {
      const check = (current: Subscriber) => {
        if (!this.subscribers.isExpired(current)) throw this.#tooMany();
      };
      const ended = others.filter((one) => !live.includes(one));
      for (const { id: old, owner } of ended)
        await this.subscribers.delete(old, { owner }, { check });
    }
    if (live.some((one) => one.url === url && isActive(one))) return;
    const secrets = [{ value: secret!, expiresAt: null }];
    const form = { contentType: 'application/json', digest: 'sha256' } as const;
    await this.callback.verify({ ...form, id, url, secrets }, id);
  }

  /** Creates a subscriber whose input was checked, and whose endpoint was verified. */
  async #create(input: NewSubscriber, principal: string): Promise<Subscriber> {
    const { maxSubscriptions: max } = this;
    const limits = { perOwner: max, perHost: max, keyPrefix: prefixOf(principal) };
    try {
      const stored = await this.subscribers.create(input, { limits });
      const { id, url, owner, verification } = stored;
      if (verification !== 'pending') return stored;
      return (await this.subscribers.verify(id, url, { owner })) ?? stored;
    } catch (error) {
      // Other processes have created further subscriptions meanwhile.
      if (error instanceof LimitReachedError) throw this.#tooMany();
      // The URL was checked: its name leads to an address inside, which the client must not learn.
      if (!(error instanceof InvalidInputError) || error.field !== 'url') throw error;
      throw callbackRefused('connection_refused');
    }
  }

  #tooMany(): McpEventsError {
    const { maxSubscriptions: max } = this;
    const data = { limit: 'subscriptions', max };
    return new McpEventsError('ResourceExhausted', `There are ${max} subscriptions already`, data);
  }

  async #replaceSecret({ id, owner, secrets }: Subscriber, secret: string): Promise<void> {
    if (isLatest(secrets, secret)) return;
    const now = this.clock.now();
    const change = (stored: readonly Secret[]) =>
      isLatest(stored, secret) ? stored : replaced(stored, secret, now);
    await this.repository.changeSecrets(id, change, new Date(now), { owner });
  }

  /** The subscriptions of a principal, including ended subscriptions. */
  async #allOf({ principal, owner }: Caller): Promise<readonly Subscriber[]> {
    const all: Subscriber[] = [];
    let after: string | null = null;
    do {
      const page: SubscriberPage = await this.subscribers.list({ limit: 1000, after }, { owner });
      all.push(...page.items.filter(({ key }) => key?.startsWith(prefixOf(principal))));
      after = page.next;
    } while (after !== null);
    return all;
  }
}

/** Returns the id of a subscription and the key of its subscriber, whatever the order of the arguments' names. */
function namesOf({ principal, url, name, args }: Caller & SubscriptionParams) {
  const ordered = Object.entries(args).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const identity = hash(JSON.stringify([principal, url, name, ordered]));
  return { id: `sub_${identity}`, key: prefixOf(principal) + identity };
}

/** The beginning of the keys of a principal's subscribers. */
function prefixOf(principal: string): string {
  return `mcp:${hash(principal)}:`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function isLatest([latest]: readonly Secret[], secret: string): boolean {
  return latest !== undefined && isSameSecret(latest.value, secret);
}

/** Puts a secret in front of those before, which go on signing for a while. */
function replaced(secrets: readonly Secret[], secret: string, now: number): readonly Secret[] {
  const end = now + OVERLAP;
  const before = secrets
    .map(({ value, expiresAt }) => ({ value, expiresAt: Math.min(expiresAt ?? end, end) }))
    .filter(({ value, expiresAt }) => expiresAt > now && !isSameSecret(value, secret));
  return [{ value: secret, expiresAt: null }, ...before.slice(0, MAX_REPLACED)];
}
