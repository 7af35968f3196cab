import { InvalidInputError } from '../../errors/index.js';

/**
 * The bytes of a secret that a service has given out, or was given: how long it is was theirs to choose.
 *
 * @throws {@link InvalidInputError} for the field `secret` when there is none
 */
export function vendorKey(secret: string): Buffer {
  if (secret === '' || secret.trim() !== secret) {
    throw new InvalidInputError('secret', 'must be a text without blanks around it');
  }
  return Buffer.from(secret);
}
