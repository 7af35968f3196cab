import { createHash } from 'node:crypto';
import { KeyedMutex } from '../common/async/keyed-mutex.js';
import { BoundedCache } from '../common/bounded-cache.js';
import type { Clock } from '../common/index.js';
import { InvalidInputError } from '../errors/index.js';
import type { Secret } from '../message/index.js';
import { isSameSecret } from '../signing/index.js';
import type {
  NewSubscriber,
  Subscriber,
  SubscriberPage,
  SubscriberRepository,
  Subscribers,
} from '../subscriber/index.js';
import type { Callback } from './callback.js';
import { McpEventsError } from './mcp-events.error.js';
import { MCP_FORMAT, metadataOf, subscriptionOf } from './mcp-format.js';
import type { EventSelection, McpArguments } from './offered-event.js';
import type { SubscriptionParams } from './subscription-params.js';

/** Milliseconds for which an endpoint counts as verified for further subscriptions of its principal. */
const VERIFIED_FOR = 60 * 60_000;
/** Endpoints that are remembered as verified. */
const MAX_VERIFIED = 10_000;
/** Milliseconds for which a secret that was replaced goes on signing. */
const OVERLAP = 5 * 60_000;
/** Replaced secrets that sign: of a client that changes them more often, the latest. */
const MAX_REPLACED = 3;

/** Who asks, and whose subscribers are meant. */
interface Caller {
  readonly principal: string;
  readonly owner: string;
}

/** A subscription that was asked for, and whose parameters were checked. */
export interface AskedSubscription extends Caller, SubscriptionParams, EventSelection {
  readonly secret: string;
}

/** Dependencies of {@link McpSubscriptions}. */
export interface McpSubscriptionsDependencies {
  readonly subscribers: Subscribers;
  readonly repository: SubscriberRepository;
  readonly callback: Callback;
  readonly clock: Clock;
  readonly maxSubscriptions: number;
}

/** Keeps subscriptions as subscribers of the format `mcp`: one for each principal, URL, event and arguments. */
export class McpSubscriptions {
  readonly #verified = new BoundedCache<string, number>(MAX_VERIFIED);
  readonly #creations = new KeyedMutex();

  constructor(private readonly dependencies: McpSubscriptionsDependencies) {}

  /**
   * Creates a subscription, or refreshes the one that is there.
   *
   * @param ttl milliseconds until its end
   * @throws {@link McpEventsError} when there are too many, or the endpoint of a new one cannot be verified
   * @throws {@link InvalidInputError} as `Subscribers.create()`
   */
  async put(
    asked: AskedSubscription,
    ttl: number,
  ): Promise<{ readonly id: string; readonly expiresAt: Date }> {
    const { subscribers, clock } = this.dependencies;
    const { url, owner, events, exclude, filter, secret } = asked;
    const { id, key } = namesOf(asked);
    const changes = { events, exclude, filter, enabled: true };
    const metadata = metadataOf(asked.name, id);
    const input = { ...changes, url, owner, secret, key, metadata, format: MCP_FORMAT };
    subscribers.check(input);
    const present = await subscribers.findByKey(key, { owner });
    const isLive = present?.url === url && !subscribers.isExpired(present);
    const endOf = () => new Date(clock.now() + ttl);
    const refreshed = isLive
      ? await subscribers.update(present.id, { ...changes, expiresAt: endOf() }, { owner })
      : null;
    const stored =
      refreshed ??
      // One at a time, so that they are counted, and endpoints are not asked in masses.
      (await this.#creations.run(asked.principal, async () => {
        if (!isLive) await this.#admit(asked, id, key);
        return this.#create({ ...input, expiresAt: endOf() });
      }));
    await this.#replaceSecret(stored, secret);
    return { id, expiresAt: stored.expiresAt! };
  }

  /** Ends a subscription, if there is one. */
  async remove(asked: Caller & SubscriptionParams): Promise<void> {
    const { subscribers } = this.dependencies;
    const { owner } = asked;
    const present = await subscribers.findByKey(namesOf(asked).key, { owner });
    if (present !== null) await subscribers.delete(present.id, { owner });
  }

  /** Ends all subscriptions of a principal, and tells each endpoint once. @returns their number */
  async endAll(
    caller: Caller,
    error: { readonly code: number; readonly message: string },
  ): Promise<number> {
    const { subscribers, callback } = this.dependencies;
    const ended = await this.#liveOnesOf(caller);
    for (const { id } of ended) await subscribers.delete(id, { owner: caller.owner });
    const terminated = { type: 'terminated', error };
    await Promise.allSettled(
      ended.map((one) => callback.send(one, subscriptionOf(one), terminated)),
    );
    return ended.length;
  }

  /** Creates a subscriber whose input was checked. */
  async #create(input: NewSubscriber): Promise<Subscriber> {
    try {
      return await this.dependencies.subscribers.create(input);
    } catch (error) {
      // The URL was checked: its name leads to an address inside, which the client must not learn.
      if (!(error instanceof InvalidInputError) || error.field !== 'url') throw error;
      throw McpEventsError.ofCallback('connection_refused');
    }
  }

  async #replaceSecret({ id, owner, secrets }: Subscriber, secret: string): Promise<void> {
    if (isLatest(secrets, secret)) return;
    const { repository, clock } = this.dependencies;
    const now = clock.now();
    const change = (stored: readonly Secret[]) =>
      isLatest(stored, secret) ? stored : replaced(stored, secret, now);
    await repository.changeSecrets(id, change, new Date(now), { owner });
  }

  /** @throws {@link McpEventsError} when there are too many, or the endpoint cannot be verified */
  async #admit(asked: AskedSubscription, id: string, key: string): Promise<void> {
    const { principal, url, secret } = asked;
    const { callback, clock, maxSubscriptions: max } = this.dependencies;
    const others = (await this.#liveOnesOf(asked)).filter((one) => one.key !== key);
    if (others.length >= max) {
      const data = { limit: 'subscriptions', max };
      throw new McpEventsError('ResourceExhausted', `There are ${max} subscriptions already`, data);
    }
    const endpoint = JSON.stringify([principal, url]);
    if ((this.#verified.get(endpoint) ?? 0) > clock.now()) return;
    const form = { contentType: 'application/json', digest: 'sha256' } as const;
    await callback.verify({ ...form, id, url, secrets: [{ value: secret, expiresAt: null }] }, id);
    this.#verified.set(endpoint, clock.now() + VERIFIED_FOR);
  }

  async #liveOnesOf({ principal, owner }: Caller): Promise<readonly Subscriber[]> {
    const { subscribers } = this.dependencies;
    const live: Subscriber[] = [];
    let after: string | null = null;
    do {
      const page: SubscriberPage = await subscribers.list({ limit: 1000, after }, { owner });
      const own = page.items.filter(({ key }) => key?.startsWith(prefixOf(principal)));
      live.push(...own.filter((one) => !subscribers.isExpired(one)));
      after = page.next;
    } while (after !== null);
    return live;
  }
}

/** Returns the id of a subscription, and the key of its subscriber: both are derived from what identifies it. */
function namesOf({ principal, url, name, args }: Caller & SubscriptionParams) {
  const identity = hash(JSON.stringify([principal, url, name, canonical(args)]));
  return { id: `sub_${identity}`, key: prefixOf(principal) + identity };
}

/** The beginning of the keys of a principal's subscribers. */
function prefixOf(principal: string): string {
  return `mcp:${hash(principal)}:`;
}

/** The names and values of arguments, whatever the order that they were given in. */
function canonical(args: McpArguments): readonly (readonly [string, unknown])[] {
  return Object.entries(args).toSorted(([one], [other]) => (one < other ? -1 : 1));
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
