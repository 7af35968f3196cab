import type { OwnerScope } from '../../subscriber/index.js';
import { badRequest } from '../problems/errors.js';

/** Reads the query parameter `owner` of operators: everybody's without it. @throws a 400 for what is not the id of a user */
export function scopeFrom(owner: unknown): OwnerScope {
  if (owner === undefined) return 'any';
  // Some databases refuse a NUL as a parameter.
  if (typeof owner === 'string' && !owner.includes('\0')) return { owner };
  throw badRequest([{ field: 'owner', reason: 'must be the id of a user' }]);
}
