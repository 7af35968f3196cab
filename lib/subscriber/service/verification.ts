import type { SubscriberRepository, UpdateTerms } from '../model/subscriber.repository.js';
import type { OwnerScope, Subscriber, SubscriberChanges } from '../model/subscriber.js';

/** What a check throws when the subscriber is at another URL than the one that the caller has seen. */
const MOVED = new Error('It has moved');

/**
 * Notes that the endpoint at `url` has shown that it wants the webhooks.
 *
 * @returns null when there is none of that id within `scope`, or it has moved to another URL since
 */
export async function markVerified(
  repository: SubscriberRepository,
  id: string,
  { url, updatedAt }: { readonly url: string; readonly updatedAt: Date },
  scope: OwnerScope,
): Promise<Subscriber | null> {
  const changes = { verification: 'verified' as const, updatedAt };
  try {
    return await repository.update(id, changes, scope, { check: stillAt(url) });
  } catch (error) {
    if (error === MOVED) return null;
    throw error;
  }
}

/** Changes a subscriber whose new URL, if it is another one, is yet to be verified. */
export async function moveTo(
  repository: SubscriberRepository,
  id: string,
  changes: SubscriberChanges & { readonly url: string; readonly updatedAt: Date },
  scope: OwnerScope,
  terms: UpdateTerms,
): Promise<Subscriber | null> {
  // Ends: each round but the last, somebody else has moved it.
  for (;;) {
    const before = await repository.findById(id, scope);
    if (before === null) return null;
    const isMoved = changes.url !== before.url;
    // Were it at another URL by now, the one that was verified could be left in favour of one that was not.
    const isStill = stillAt(before.url);
    const check = (current: Subscriber) => {
      terms.check?.(current);
      isStill(current);
    };
    try {
      return await repository.update(
        id,
        isMoved ? { ...changes, verification: 'pending' } : changes,
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
