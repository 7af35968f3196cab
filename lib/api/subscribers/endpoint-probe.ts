import { randomBytes } from 'node:crypto';
import { type Clock, newId } from '../../common/index.js';
import type { Attempt, Deliverer } from '../../delivery/index.js';
import { type MessageFactory } from '../../message/index.js';
import { isSameSecret } from '../../signing/index.js';
import type { Subscriber } from '../../subscriber/index.js';

/** The event of a test that names none. */
export const PING_EVENT = 'thorn.ping';
/** The event that asks an endpoint whether it wants webhooks. */
export const CHALLENGE_EVENT = 'thorn.challenge';

/** Asks an endpoint something, at once and once: signed as every webhook is, and past the strategy and its log. */
export class EndpointProbe {
  constructor(
    private readonly deliverer: Deliverer,
    private readonly messages: MessageFactory,
    private readonly clock: Clock,
  ) {}

  /** Sends one message to this subscriber alone. */
  send(subscriber: Subscriber, event: string, data: unknown): Promise<Attempt> {
    const message = this.messages.create({
      event,
      data,
      owner: subscriber.owner,
      audience: 'owner',
    });
    const id = newId('dlv_', this.clock.now());
    return this.deliverer.attempt({ id }, message, subscriber);
  }

  /** @returns whether the endpoint has answered with a 2xx, and a body that holds the token it was sent */
  async challenge(subscriber: Subscriber): Promise<boolean> {
    const token = randomBytes(24).toString('base64url');
    // A receiver of another format would not find the token.
    const asked = { ...subscriber, format: null };
    const { outcome, response } = await this.send(asked, CHALLENGE_EVENT, { token });
    return outcome === 'succeeded' && echoes(response.toString(), token);
  }
}

/** The token as the whole body, or as `token` of a JSON object. */
function echoes(body: string, token: string): boolean {
  if (isSameSecret(body.trim(), token)) return true;
  try {
    const { token: echoed } = (JSON.parse(body) ?? {}) as { readonly token?: unknown };
    return typeof echoed === 'string' && isSameSecret(echoed, token);
  } catch {
    return false;
  }
}
