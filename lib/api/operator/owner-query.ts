import { MAX_OWNER_LENGTH, type OwnerScope } from '../../subscriber/index.js';
import type { QueryParameters } from '../http/query.pipe.js';
import { text } from '../schema/schema.js';

export const OWNER_QUERY = {
  owner: {
    schema: { ...text, maxLength: MAX_OWNER_LENGTH, description: 'Default: anybody' },
    read: (given: unknown) => (isOwner(given) ? given : null),
    reason: 'must be the id of a user',
  },
} satisfies QueryParameters;

/** Splits a query of {@link OWNER_QUERY} and others: everybody's without an owner. */
export function scopeFrom<Query extends object>(
  query: unknown,
): { readonly scope: OwnerScope; readonly asked: Query } {
  const { owner, ...asked } = query as { readonly owner?: string };
  return { scope: owner === undefined ? 'any' : { owner }, asked: asked as Query };
}

/** Some databases refuse a NUL as a parameter. */
function isOwner(given: unknown): boolean {
  return typeof given === 'string' && given.length <= MAX_OWNER_LENGTH && !given.includes('\0');
}
