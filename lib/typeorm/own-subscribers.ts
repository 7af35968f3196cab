import type { DataSource, EntitySubscriberInterface } from 'typeorm';

const own = new WeakSet<object>();

/** Adds subscribers that put nothing into the entities that they are given. */
export function addOwnSubscribers(
  { subscribers }: DataSource,
  added: readonly EntitySubscriberInterface[],
): void {
  for (const subscriber of added) own.add(subscriber);
  subscribers.push(...added);
}

/** Tells whether a subscriber was added so. */
export function isOwnSubscriber(subscriber: object): boolean {
  return own.has(subscriber);
}
