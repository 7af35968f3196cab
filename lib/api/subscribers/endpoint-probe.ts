import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock, newId } from '../../common/index.js';
import { type Attempt, Deliverer } from '../../delivery/index.js';
import { InvalidInputError } from '../../errors/index.js';
import { type Message, MessageFactory, WebhookFormats } from '../../message/index.js';
import { isEchoed, isSameSecret } from '../../signing/index.js';
import {
  type ChangeTerms,
  type OwnerScope,
  type Subscriber,
  Subscribers,
} from '../../subscriber/index.js';
import { ApiSettings } from '../options/api-options.js';
import { OwnerThrottle } from './owner-throttle.js';

/** The event of a test whose request names no event. */
export const PING_EVENT = 'thorn.ping';
/** The event that asks an endpoint whether it wants webhooks. */
export const CHALLENGE_EVENT = 'thorn.challenge';

/**
 * Sends a test or a challenge to an endpoint, at once and without a retry. The request is signed like every webhook,
 * and it appears in no delivery log, because the strategy is not involved.
 */
@Injectable()
export class EndpointProbe {
  /** Counts the tests and challenges of each owner, for all controllers. */
  readonly tests: OwnerThrottle;

  constructor(
    { limits }: ApiSettings,
    private readonly subscribers: Subscribers,
    private readonly deliverer: Deliverer,
    private readonly messages: MessageFactory,
    private readonly formats: WebhookFormats,
    private readonly clock: Clock,
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

  /**
   * Tells the caller when the format refuses the body, since an attempt would only log it. Any other error is a fault
   * of the format itself.
   */
  #checkFormat(message: Message, subscriber: Subscriber): void {
    try {
      this.formats.encode(message, subscriber);
    } catch (error) {
      if (error instanceof InvalidInputError && ['event', 'data'].includes(error.field))
        throw error;
    }
  }

  /**
   * Asks the endpoint whether it wants webhooks, unless it has answered already. When the owner has asked too often,
   * nothing is sent, and the owner has to ask again later.
   *
   * @param terms who acts, for the audit
   * @returns the subscriber after the answer
   */
  async challenge(
    subscriber: Subscriber,
    scope: OwnerScope,
    terms: Pick<ChangeTerms, 'by'>,
  ): Promise<Subscriber> {
    if (subscriber.verification !== 'pending') return subscriber;
    return this.tests.secondsToWait(subscriber.owner) > 0
      ? subscriber
      : this.challengeNow(subscriber, scope, terms);
  }

  /**
   * As {@link challenge}, but always asks: earlier answers and the limit of the owner do not matter. A 2xx whose body
   * has the token means that the endpoint agrees.
   */
  async challengeNow(
    subscriber: Subscriber,
    scope: OwnerScope,
    terms: Pick<ChangeTerms, 'by'>,
  ): Promise<Subscriber> {
    const token = randomBytes(24).toString('base64url');
    // The request has the whole body in the standard format: a receiver would not find the token in another one.
    const whole = { format: null, fields: null, thin: false, template: null };
    const asked = { ...subscriber, ...whole };
    const { outcome, response } = await this.send(asked, CHALLENGE_EVENT, { token });
    if (outcome !== 'succeeded' || !echoes(response.toString(), token)) return subscriber;
    const verified = await this.subscribers.verify(subscriber.id, subscriber.url, scope, terms);
    return verified ?? subscriber;
  }
}

/** Tells whether a body is the token, or a JSON object with the token in `token`. */
function echoes(body: string, token: string): boolean {
  return isSameSecret(body.trim(), token) || isEchoed(body, 'token', token);
}
