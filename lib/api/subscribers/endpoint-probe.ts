import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock, newId } from '../../common/index.js';
import { type Attempt, Deliverer } from '../../delivery/index.js';
import { InvalidInputError } from '../../errors/index.js';
import { type Message, MessageFactory, WebhookFormats } from '../../message/index.js';
import { isEchoed, isSameSecret } from '../../signing/index.js';
import { type OwnerScope, type Subscriber, Subscribers } from '../../subscriber/index.js';
import { ApiSettings } from '../options/api-options.js';
import { OwnerThrottle } from './owner-throttle.js';

/** The event of a test that names none. */
export const PING_EVENT = 'thorn.ping';
/** The event that asks an endpoint whether it wants webhooks. */
export const CHALLENGE_EVENT = 'thorn.challenge';

/** Asks an endpoint something, at once and once: signed as every webhook is, and past the strategy and its log. */
@Injectable()
export class EndpointProbe {
  /** Counts what an owner has caused, by whichever controller. */
  readonly tests: OwnerThrottle;

  constructor(
    @Inject(ApiSettings) { limits }: ApiSettings,
    @Inject(Subscribers) private readonly subscribers: Subscribers,
    @Inject(Deliverer) private readonly deliverer: Deliverer,
    @Inject(MessageFactory) private readonly messages: MessageFactory,
    @Inject(WebhookFormats) private readonly formats: WebhookFormats,
    @Inject(Clock) private readonly clock: Clock,
  ) {
    this.tests = new OwnerThrottle(clock, limits.testsPerMinute);
  }

  /** @throws {@link InvalidInputError} for an event or data that the format of the subscriber does not take */
  async send(subscriber: Subscriber, event: string, data: unknown): Promise<Attempt> {
    const message = this.messages.create({
      event,
      data,
      owner: subscriber.owner,
      audience: 'owner',
    });
    this.#checkFormat(message, subscriber);
    const id = newId('dlv_', this.clock.now());
    return this.deliverer.attempt({ id }, message, subscriber);
  }

  /** Tells the caller about a body that the format refuses, which an attempt would log. Other errors are faults of the format. */
  #checkFormat(message: Message, subscriber: Subscriber): void {
    try {
      this.formats.encode(message, subscriber);
    } catch (error) {
      if (error instanceof InvalidInputError && ['event', 'data'].includes(error.field))
        throw error;
    }
  }

  /**
   * Asks whether the endpoint wants webhooks, if that was not answered yet and the owner has not asked too often;
   * otherwise the owner asks again later.
   *
   * @returns the subscriber as it is then
   */
  async challenge(subscriber: Subscriber, scope: OwnerScope): Promise<Subscriber> {
    if (subscriber.verification !== 'pending') return subscriber;
    return this.tests.secondsToWait(subscriber.owner) > 0
      ? subscriber
      : this.challengeNow(subscriber, scope);
  }

  /** As {@link challenge}, whatever was asked before. A 2xx with a body that holds the token means yes. */
  async challengeNow(subscriber: Subscriber, scope: OwnerScope): Promise<Subscriber> {
    const token = randomBytes(24).toString('base64url');
    // A receiver of another format would not find the token.
    const asked = { ...subscriber, format: null };
    const { outcome, response } = await this.send(asked, CHALLENGE_EVENT, { token });
    if (outcome !== 'succeeded' || !echoes(response.toString(), token)) return subscriber;
    const verified = await this.subscribers.verify(subscriber.id, subscriber.url, scope);
    return verified ?? subscriber;
  }
}

/** The token as the whole body, or as `token` of a JSON object. */
function echoes(body: string, token: string): boolean {
  return isSameSecret(body.trim(), token) || isEchoed(body, 'token', token);
}
