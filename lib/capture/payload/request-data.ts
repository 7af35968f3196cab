import { InvalidInputError } from '../../errors/index.js';
import type { RequestData } from '../../event/index.js';

/**
 * Merges what an event adds to all of its messages into the data of one, whose own keys win.
 *
 * @throws {@link InvalidInputError} when the data is not an object to merge into
 */
export function withRequestData(data: unknown, requestData: RequestData | undefined): unknown {
  if (requestData === undefined) return data;
  const added = typeof requestData === 'function' ? requestData() : requestData;
  if (data === undefined) return added;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new InvalidInputError('data', 'must be an object when the event has requestData');
  }
  return { ...added, ...data };
}
