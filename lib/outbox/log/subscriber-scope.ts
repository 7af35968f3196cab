import { isIdLike } from '../../common/index.js';
import type { OwnerScope, SubscriberRepository } from '../../subscriber/index.js';

/** True when `scope` contains the subscriber. The scope `any` contains subscribers that are not stored, too. */
export async function isVisible(
  subscribers: SubscriberRepository,
  subscriber: string,
  scope: OwnerScope,
): Promise<boolean> {
  return scope === 'any' || (await subscribers.findById(subscriber, scope)) !== null;
}

/**
 * Ids of the subscribers within the scope, or the one requested id.
 *
 * @returns undefined for all subscribers
 */
export async function visibleSubscribers(
  subscribers: SubscriberRepository,
  subscriber: string | undefined,
  scope: OwnerScope,
): Promise<readonly string[] | undefined> {
  if (subscriber === undefined) return scope === 'any' ? undefined : subscribers.findIds(scope);
  if (!isIdLike(subscriber)) return [];
  return (await isVisible(subscribers, subscriber, scope)) ? [subscriber] : [];
}
