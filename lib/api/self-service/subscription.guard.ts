import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import { enterScope } from '../http/owner.guard.js';
import { generateSecret, isSameSecret } from '../../signing/index.js';
import { type Subscriber, Subscribers } from '../../subscriber/index.js';

interface ReceiverRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  subscription?: Subscriber;
}

/**
 * The secret for a comparison when there is no subscriber, so that the time of the answer does not show whether a
 * subscriber exists.
 */
const NOBODY = generateSecret();

/**
 * Lets a receiver in that names its subscription in `Hook-Subscription` and sends one of its live secrets as a bearer
 * token. All refusals have the same answer, so that a caller learns nothing about other subscriptions.
 */
@Injectable()
export class SubscriptionGuard implements CanActivate {
  constructor(private readonly subscribers: Subscribers) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<ReceiverRequest>();
    const { authorization } = request.headers;
    const [, given = ''] = /^Bearer (.+)$/i.exec(String(authorization ?? '')) ?? [];
    const subscription = await this.#find(request.headers['hook-subscription']);
    // Ed25519 keys are left out, because a receiver knows only their public half.
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
      // The secrets of the subscriber do not open, so the receiver cannot prove itself.
      return null;
    }
  }
}

/**
 * Lets a receiver in that names its subscription, as {@link SubscriptionGuard} does, with the rights of its owner. The guards
 * of the application decide about every other request.
 */
@Injectable()
export class ReceiverGuard extends SubscriptionGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<ReceiverRequest>();
    if (request.headers['hook-subscription'] === undefined) return true;
    await super.canActivate(context);
    enterScope(request, subscriptionOf(request).owner);
    return true;
  }
}

/** The subscription of a receiver; undefined for any other caller. */
export function knownSubscription(request: object): Subscriber | undefined {
  return (request as ReceiverRequest).subscription;
}

export function subscriptionOf(request: object): Subscriber {
  const { subscription } = request as ReceiverRequest;
  // Unreachable while the guard is bound.
  if (subscription === undefined) throw new UnauthorizedException();
  return subscription;
}
