import { createHash } from 'node:crypto';
import type { Subscriber } from '../../subscriber/index.js';
import { badRequest, problem } from '../problems/problem.js';

const TAG = /(?:W\/)?"[\x21\x23-\x7e]*"/g;
/** Empty elements of a list are ignored (RFC 9110, 5.6.1). */
const LIST = /^[\s,]*(?:(?:W\/)?"[\x21\x23-\x7e]*"[ \t]*(?:,[\s,]*|$))+$/;
export const MAX_TAG_LENGTH = 8192;

/** The entity tag of a subscriber, which is different after every change. It is made without the secrets. */
export function entityTag(subscriber: Subscriber): string {
  const { secrets: _, headers: __, auth: ___, ...visible } = subscriber;
  const fields = Object.entries(visible).sort(([one], [other]) => (one < other ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify(fields)).digest('base64url');
  return `"${hash.slice(0, 22)}"`;
}

/** Checks `If-Match` by strong comparison (RFC 9110, 13.1.1). @throws a 400 for a malformed header */
export function ifMatch(header: unknown): { readonly check?: (current: Subscriber) => void } {
  if (header === undefined || header === '*') return {};
  if (typeof header !== 'string' || header.length > MAX_TAG_LENGTH || !LIST.test(header)) {
    throw badRequest([{ field: 'If-Match', reason: 'must be the ETag of an earlier answer' }]);
  }
  const tags = new Set(header.match(TAG));
  return {
    check(current) {
      if (tags.has(entityTag(current))) return;
      throw problem(
        'precondition-failed',
        'The subscriber was changed since: read it again, and repeat the change if it still makes sense',
      );
    },
  };
}
