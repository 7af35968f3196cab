import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import { enterScope } from '../http/owner.guard.js';
import { generateSecret, isSameSecret } from '../../signing/index.js';
import type { Recipient } from '../../message/index.js';
import { DeliveryReports } from '../../outbox/index.js';
import { isStaticId, type Subscriber, Subscribers } from '../../subscriber/index.js';

interface ReceiverRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly params: Readonly<Record<string, string>>;
  subscription?: Subscriber;
  reader?: Recipient;
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
    request.subscription = await proven(request, (id) => this.subscribers.findById(id, 'any'));
    return true;
  }
}

/**
 * Lets a receiver in that names its subscription, as {@link SubscriptionGuard} does, with the rights of its owner, at the route
 * of a message. Only the message tells who a static subscriber is. The guards of the application decide about every other
 * request.
 */
@Injectable()
export class ReceiverGuard implements CanActivate {
  constructor(
    private readonly subscribers: Subscribers,
    private readonly reports: DeliveryReports,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<ReceiverRequest>();
    if (request.headers['hook-subscription'] === undefined) return true;
    const reader = await proven<Subscriber | Recipient>(request, (id) =>
      isStaticId(id)
        ? this.reports.staticSubscriber(request.params['message'] ?? '', id)
        : this.subscribers.findById(id, 'any'),
    );
    request.reader = reader;
    enterScope(request, 'owner' in reader ? reader.owner : null);
    return true;
  }
}

/**
 * Finds the subscriber that a request names, and compares its secrets.
 *
 * @throws `UnauthorizedException` unless one of them is the bearer token
 */
async function proven<Found extends Recipient>(
  { headers }: ReceiverRequest,
  find: (id: string) => Promise<Found | null>,
): Promise<Found> {
  const [, given = ''] = /^Bearer (.+)$/i.exec(String(headers['authorization'] ?? '')) ?? [];
  const id = headers['hook-subscription'];
  // It throws where the secrets of the subscriber do not open, so the receiver cannot prove itself.
  const found = typeof id === 'string' ? await find(id).catch(() => null) : null;
  // Ed25519 keys are left out, because a receiver knows only their public half.
  const secrets = (found?.secrets ?? []).filter(({ value }) => !value.startsWith('whsk_'));
  const values = secrets.length === 0 ? [NOBODY] : secrets.map(({ value }) => value);
  const isKnown = values.map((value) => isSameSecret(value, given)).includes(true);
  if (found === null || secrets.length === 0 || !isKnown) throw new UnauthorizedException();
  return found;
}

/** The subscriber that {@link ReceiverGuard} has let in; undefined for any other caller. */
export function knownReader(request: object): Subscriber | Recipient | undefined {
  return (request as ReceiverRequest).reader;
}

export function subscriptionOf(request: object): Subscriber {
  const { subscription } = request as ReceiverRequest;
  // Unreachable while the guard is bound.
  if (subscription === undefined) throw new UnauthorizedException();
  return subscription;
}
