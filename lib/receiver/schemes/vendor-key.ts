import { InvalidInputError } from '../../errors/index.js';

/**
 * Returns the bytes of a secret of another service, whatever its length.
 *
 * @throws {@link InvalidInputError} for the field `secret` when it is empty or has blanks around it
 */
export function vendorKey(secret: string): Buffer {
  if (secret === '' || secret.trim() !== secret) {
    throw new InvalidInputError('secret', 'must be a text without blanks around it');
  }
  return Buffer.from(secret);
}
