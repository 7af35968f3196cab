import type { DataSource, EntitySubscriberInterface } from 'typeorm';

const own = new WeakSet<object>();

/**
 * Adds subscribers that put nothing into the entities that they are given.
 *
 * @returns removes them
 */
export function addOwnSubscribers(
  dataSource: DataSource,
  added: readonly EntitySubscriberInterface[],
): () => void {
  for (const subscriber of added) own.add(subscriber);
  dataSource.subscribers.push(...added);
  return () => {
    const { subscribers } = dataSource;
    for (const subscriber of added) {
      const at = subscribers.indexOf(subscriber);
      if (at !== -1) subscribers.splice(at, 1);
    }
  };
}

/** Tells whether a subscriber was added so. */
export function isOwnSubscriber(subscriber: object): boolean {
  return own.has(subscriber);
}
