import type { DataSource, EntitySubscriberInterface } from 'typeorm';

/** Marks a subscriber of the library, which the capture of another application knows by it, too. */
const OWN = Symbol('nestjs-thorn:own-subscriber');

interface OwnSubscriber extends EntitySubscriberInterface {
  [OWN]?: true;
}

/**
 * Adds subscribers that put nothing into the entities that they are given.
 *
 * @returns removes them
 */
export function addOwnSubscribers(
  dataSource: DataSource,
  added: readonly OwnSubscriber[],
): () => void {
  for (const subscriber of added) subscriber[OWN] = true;
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
  return OWN in subscriber;
}
