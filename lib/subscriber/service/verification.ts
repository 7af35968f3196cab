import type { SubscriberRepository, UpdateTerms } from '../model/subscriber.repository.js';
import type { OwnerScope, Subscriber, SubscriberChanges } from '../model/subscriber.js';

/** Thrown by a check when the subscriber's URL differs from the URL that the caller has read. */
const MOVED = new Error('It has moved');

/**
 * Marks the endpoint at `url` as verified.
 *
 * @returns null when `scope` does not contain the id, or the subscriber has moved to another URL
 */
export async function markVerified(
  repository: SubscriberRepository,
  id: string,
  { url, updatedAt }: { readonly url: string; readonly updatedAt: Date },
  scope: OwnerScope,
  by?: string,
): Promise<Subscriber | null> {
  const changes = { verification: 'verified' as const, updatedAt };
  try {
    return await repository.update(id, changes, scope, {
      check: stillAt(url),
      ...(by !== undefined && { by }),
    });
  } catch (error) {
    if (error === MOVED) return null;
    throw error;
  }
}

/** Conditions of {@link moveTo}. */
interface MoveTerms extends UpdateTerms {
  /** Tells whether the endpoints of the subscriber count as verified without a challenge. */
  isKnownHost(before: Subscriber): boolean;
}

/** Changes a subscriber. When the change gives it another URL, the new endpoint is still to be verified. */
export async function moveTo(
  repository: SubscriberRepository,
  id: string,
  changes: SubscriberChanges & { readonly url: string; readonly updatedAt: Date },
  scope: OwnerScope,
  { isKnownHost, ...terms }: MoveTerms,
): Promise<Subscriber | null> {
  // The loop ends: every round but the last means that another caller has moved the subscriber.
  for (;;) {
    const before = await repository.findById(id, scope);
    if (before === null) return null;
    const isAsked = changes.url !== before.url && !isKnownHost(before);
    // Another caller may have moved the subscriber meanwhile, so that `isAsked` is about another URL. The check then
    // refuses the change, and the loop reads the subscriber again.
    const isStill = stillAt(before.url);
    const check = (current: Subscriber) => {
      terms.check?.(current);
      isStill(current);
    };
    try {
      return await repository.update(
        id,
        isAsked ? { ...changes, verification: 'pending' } : changes,
        scope,
        { ...terms, check },
      );
    } catch (error) {
      if (error !== MOVED) throw error;
    }
  }
}

function stillAt(url: string): (current: Subscriber) => void {
  return (current) => {
    if (current.url !== url) throw MOVED;
  };
}
