import { InvalidInputError } from '../../errors/index.js';

/** @throws {@link InvalidInputError} for a secret that is empty or has blanks around it */
export function vendorKey(secret: string): Buffer {
  if (secret === '' || secret.trim() !== secret) {
    throw new InvalidInputError('secret', 'must be a text without blanks around it');
  }
  return Buffer.from(secret);
}
