import { InvalidInputError } from '../errors/index.js';

// Standard Webhooks separates id, time and body by dots in what is signed: an id with one could stand for another.
const MESSAGE_ID = /^[\x21-\x2d\x2f-\x7e]{1,64}$/;

/**
 * Checks the id that an application gives a message.
 *
 * @throws {@link InvalidInputError} for the field `id`
 */
export function checkMessageId(id: unknown): asserts id is string {
  if (typeof id === 'string' && MESSAGE_ID.test(id)) return;
  throw new InvalidInputError(
    'id',
    'must be 1 to 64 printable ASCII characters, none of them a dot or a blank',
  );
}
