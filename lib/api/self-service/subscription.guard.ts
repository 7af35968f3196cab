import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import { generateSecret, isSameSecret } from '../../signing/index.js';
import { type Subscriber, Subscribers } from '../../subscriber/index.js';

interface ReceiverRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  subscription?: Subscriber;
}

/** The secret to compare with where there is no subscriber, so that the time taken tells nothing. */
const NOBODY = generateSecret();

/**
 * Lets a receiver in that names its subscription in `Hook-Subscription` and proves with one of its live secrets, as a
 * bearer token, that it is the receiver. Whatever is wrong is answered alike.
 */
@Injectable()
export class SubscriptionGuard implements CanActivate {
  constructor(private readonly subscribers: Subscribers) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<ReceiverRequest>();
    const { authorization } = request.headers;
    const [, given = ''] = /^Bearer (.+)$/i.exec(String(authorization ?? '')) ?? [];
    const subscription = await this.#find(request.headers['hook-subscription']);
    // An ed25519 key signs, and the receiver knows its public half alone.
    const secrets = (subscription?.secrets ?? []).filter(({ value }) => !value.startsWith('whsk_'));
    const values = secrets.length === 0 ? [NOBODY] : secrets.map(({ value }) => value);
    const isKnown = values.map((value) => isSameSecret(value, given)).includes(true);
    if (subscription === null || secrets.length === 0 || !isKnown) {
      throw new UnauthorizedException();
    }
    request.subscription = subscription;
    return true;
  }

  async #find(id: unknown): Promise<Subscriber | null> {
    if (typeof id !== 'string') return null;
    try {
      return await this.subscribers.findById(id, 'any');
    } catch {
      // Its secrets do not open, so that nothing can be proved with them; the log says so elsewhere.
      return null;
    }
  }
}

export function subscriptionOf(request: object): Subscriber {
  const { subscription } = request as ReceiverRequest;
  // Unreachable while the guard is bound.
  if (subscription === undefined) throw new UnauthorizedException();
  return subscription;
}
