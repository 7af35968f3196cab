import { MAX_OWNER_LENGTH, type OwnerScope } from '../../subscriber/index.js';
import { type QueryParameters, readQuery } from '../http/query.js';
import type { OperatorSettings } from '../options/operator-options.js';
import { text } from '../../common/json-schema.js';

export const OWNER_QUERY = {
  owner: {
    schema: { ...text, maxLength: MAX_OWNER_LENGTH, description: 'Default: anybody' },
    read: (given: unknown) => (isOwner(given) ? given : null),
    reason: 'must be the id of a user',
  },
} satisfies QueryParameters;

/** Reads a query of {@link OWNER_QUERY} and `parameters`. Without an owner, the scope has all owners. */
export function scopeFrom<Query extends object>(
  given: unknown,
  parameters: QueryParameters,
  settings: OperatorSettings,
): { readonly scope: OwnerScope; readonly asked: Query } {
  const known = { ...parameters, ...OWNER_QUERY };
  const { owner, ...asked } = readQuery<{ readonly owner?: string }>(given, known, settings);
  return { scope: owner === undefined ? 'any' : { owner }, asked: asked as Query };
}

/** Tells whether a text may be an owner. It refuses NUL, because some databases accept no NUL in a parameter. */
function isOwner(given: unknown): boolean {
  return typeof given === 'string' && given.length <= MAX_OWNER_LENGTH && !given.includes('\0');
}
