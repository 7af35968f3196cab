import type { ReceivedWebhook } from '../../lib/testing/index.js';

/** The difference between the requests that arrived and those that should have. */
export interface DeliveryCheck {
  /** Message and path of each request that never arrived. */
  readonly lost: readonly string[];
  /** Requests beyond the first, of one message at one path. */
  readonly duplicates: number;
  /** Message and path of each request that was not expected. */
  readonly unknown: readonly string[];
}

/**
 * Compares the requests that a receiver got with the messages that were sent.
 *
 * @param messages ids of the messages that must have arrived
 * @param paths the paths at which each of them must have arrived
 */
export function checkDeliveries(
  received: readonly ReceivedWebhook[],
  messages: readonly string[],
  paths: readonly string[] = ['/hooks'],
): DeliveryCheck {
  const arrived = received.map(({ id, path }) => `${id} ${path}`);
  const came = new Set(arrived);
  const wanted = new Set(messages.flatMap((id) => paths.map((path) => `${id} ${path}`)));
  return {
    lost: [...wanted].filter((one) => !came.has(one)),
    duplicates: arrived.length - came.size,
    unknown: [...came].filter((one) => !wanted.has(one)),
  };
}

/** Tells whether no request at a path came after a later one of its key. */
export function isInOrder(received: readonly ReceivedWebhook[], path: string): boolean {
  const last = new Map<string, number>();
  return received.every(({ path: at, headers }) => {
    const [key, sequence] = [String(headers['hook-key']), Number(headers['hook-sequence'])];
    if (at !== path || headers['hook-key'] === undefined) return true;
    const isNext = sequence >= (last.get(key) ?? 0);
    last.set(key, sequence);
    return isNext;
  });
}
