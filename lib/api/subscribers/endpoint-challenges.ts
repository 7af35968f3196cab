import type { OwnerScope, Subscriber, Subscribers } from '../../subscriber/index.js';
import type { EndpointProbe } from './endpoint-probe.js';
import type { OwnerThrottle } from './owner-throttle.js';

/** Asks the endpoints of subscribers whether they want webhooks, where the API is set up to. */
export class EndpointChallenges {
  constructor(
    readonly enabled: boolean,
    private readonly subscribers: Subscribers,
    private readonly probe: EndpointProbe,
    private readonly limit: OwnerThrottle,
  ) {}

  /**
   * Asks, if it was not answered yet and the owner has not asked too often; otherwise the owner asks again later.
   *
   * @returns the subscriber as it is then
   */
  async ask(subscriber: Subscriber, scope: OwnerScope): Promise<Subscriber> {
    if (subscriber.verification !== 'pending') return subscriber;
    return this.limit.secondsToWait(subscriber.owner) > 0
      ? subscriber
      : this.askNow(subscriber, scope);
  }

  /** As {@link ask}, whatever was asked before. */
  async askNow(subscriber: Subscriber, scope: OwnerScope): Promise<Subscriber> {
    if (!(await this.probe.challenge(subscriber))) return subscriber;
    const verified = await this.subscribers.verify(subscriber.id, subscriber.url, scope);
    return verified ?? subscriber;
  }
}
