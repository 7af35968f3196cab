import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { AddressLookup } from './guarded-connector.js';
import type { RecipientPolicy } from './recipient-policy.js';

const LOOKUP_TIMEOUT_MS = 2000;

/**
 * Judges every address that a URL's host resolves to at this moment. A name that does not resolve, or not in time,
 * passes: it may be set up later, and whatever is dialled is judged again.
 *
 * @throws {@link RecipientRefusedError} when any address is refused
 */
export async function checkResolved(
  url: URL,
  policy: RecipientPolicy,
  lookup: AddressLookup = systemLookup,
): Promise<void> {
  // A literal address was judged with the URL.
  if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) return;
  for (const { address } of await addressesOf(url.hostname, lookup)) policy.checkAddress(address);
}

function addressesOf(hostname: string, lookup: AddressLookup): Promise<readonly LookupAddress[]> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve([]), LOOKUP_TIMEOUT_MS);
    lookup(hostname, { all: true }, (error, addresses) => {
      clearTimeout(timer);
      resolve(error === null ? addresses : []);
    });
  });
}
