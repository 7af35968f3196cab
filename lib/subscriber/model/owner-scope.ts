import { InvalidInputError } from '../../errors/index.js';
import type { OwnerScope } from './subscriber.js';

/** Checks the scope of the caller. @throws {@link InvalidInputError} when the scope is missing or malformed */
export function checkScope(scope: OwnerScope): void {
  const isOwner = typeof scope === 'object' && scope !== null && 'owner' in scope;
  if (scope === 'any' || (isOwner && (scope.owner === null || typeof scope.owner === 'string'))) {
    return;
  }
  throw new InvalidInputError(
    'scope',
    "must be { owner }, or 'any' for the application's own code",
  );
}
