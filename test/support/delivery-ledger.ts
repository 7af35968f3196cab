import type { ReceivedWebhook } from '../../lib/testing/index.js';

/** What arrived, held against what was to arrive. */
export interface Reckoning {
  /** Message and path of what never came. */
  readonly lost: readonly string[];
  /** Requests beyond the first, of one message at one path. */
  readonly duplicates: number;
  /** Message and path of what nobody had written down. */
  readonly unknown: readonly string[];
}

/**
 * Holds the receiver's log against the ledger.
 *
 * @param messages ids of those that must have come
 * @param paths where each of them must have come
 */
export function reckon(
  received: readonly ReceivedWebhook[],
  messages: readonly string[],
  paths: readonly string[] = ['/hooks'],
): Reckoning {
  const arrived = received.map(({ id, path }) => `${id} ${path}`);
  const came = new Set(arrived);
  const wanted = new Set(messages.flatMap((id) => paths.map((path) => `${id} ${path}`)));
  return {
    lost: [...wanted].filter((one) => !came.has(one)),
    duplicates: arrived.length - came.size,
    unknown: [...came].filter((one) => !wanted.has(one)),
  };
}
