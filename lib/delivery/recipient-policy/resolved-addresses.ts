import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { Logger } from '@nestjs/common';
import { RecipientRefusedError } from '../../errors/index.js';
import type { RecipientPolicy } from './recipient-policy.js';
import { type AddressLookup, systemLookup } from './system-lookup.js';

const LOOKUP_TIMEOUT_MS = 2000;
const logger = new Logger('Thorn');

/**
 * Judges every address that a URL's host currently resolves to. A name that does not resolve in time passes: it may be
 * set up later, and every address is judged again before it is dialled.
 *
 * @throws {@link RecipientRefusedError} `unreachable` when any address is refused. The address and the reason are only
 * logged: otherwise a caller could use the resolver to find the addresses of internal names.
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
    const answer: Parameters<AddressLookup>[2] = (error, addresses) => {
      clearTimeout(timer);
      // Some resolvers report success with undefined instead of null.
      resolve(error ? [] : addresses);
    };
    try {
      lookup(hostname, { all: true }, answer);
    } catch (error) {
      answer(error as NodeJS.ErrnoException, []);
    }
  });
}
