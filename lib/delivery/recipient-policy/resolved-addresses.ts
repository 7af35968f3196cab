import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { Logger } from '@nestjs/common';
import { RecipientRefusedError } from '../../errors/index.js';
import type { RecipientPolicy } from './recipient-policy.js';

const LOOKUP_TIMEOUT_MS = 2000;
const logger = new Logger('Thorn');

/**
 * Judges every address that a URL's host resolves to at this moment. A name that does not resolve, or not in time,
 * passes: it may be set up later, and whatever is dialled is judged again.
 *
 * @throws {@link RecipientRefusedError} `unreachable` when any address is refused. Which one, and why, is in the log
 * alone: whoever saves a subscriber could otherwise ask our resolver for the addresses of internal names.
 */
export async function checkResolvedAddresses(
  url: URL,
  policy: RecipientPolicy,
  lookup: AddressLookup = systemLookup,
): Promise<void> {
  // A literal address was judged with the URL.
  if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) return;
  const addresses = await addressesOf(url.hostname, lookup);
  try {
    for (const { address } of addresses) policy.checkAddress(address);
  } catch (error) {
    throw error instanceof RecipientRefusedError ? withheld(url.hostname, error) : error;
  }
}

function withheld(name: string, { explanation }: RecipientRefusedError): RecipientRefusedError {
  logger.warn(`No subscriber is saved for the host ${name}: ${explanation}.`);
  return new RecipientRefusedError('unreachable', 'webhooks cannot be sent to its host');
}

function addressesOf(hostname: string, lookup: AddressLookup): Promise<readonly LookupAddress[]> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve([]), LOOKUP_TIMEOUT_MS);
    const settle: Parameters<AddressLookup>[2] = (error, addresses) => {
      clearTimeout(timer);
      // Not every resolver says null when nothing is wrong.
      resolve(error ? [] : addresses);
    };
    try {
      lookup(hostname, { all: true }, settle);
    } catch (error) {
      settle(error as NodeJS.ErrnoException, []);
    }
  });
}

/** Looks a name up; `dns.lookup` is one. */
export type AddressLookup = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;
