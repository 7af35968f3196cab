import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { attemptError } from './transport-errors.js';
import type { RecipientPolicy } from '../recipient-policy/recipient-policy.js';
import { type TlsOptions, tlsSettings } from './tls-settings.js';
import type { AddressLookup } from '../recipient-policy/resolved-addresses.js';

/** How connections are made. */
export interface ConnectorOptions {
  /** Default: the system's resolver, by `dns.lookup`. */
  readonly lookup?: AddressLookup;
  readonly tls?: TlsOptions;
}

/** Starts to connect and returns the socket, which may be destroyed to give up. */
export type GuardedConnector = (
  options: buildConnector.Options,
  callback: buildConnector.Callback,
) => Socket | null;

/**
 * Makes connections to addresses that the policy allows. A name is looked up with all its answers; the policy judges
 * every one, and only then are they dialled, in turn. TLS goes on to verify the certificate for the name.
 */
export function guardedConnector(
  policy: RecipientPolicy,
  { lookup = systemLookup, tls }: ConnectorOptions,
): GuardedConnector {
  const connect = buildConnector({
    ...tlsSettings(tls),
    lookup: vettedLookup(policy, coalesced(lookup)),
    autoSelectFamily: true,
    // The deadline of the request that waits for the connection ends it.
    timeout: 0,
  }) as (...parameters: Parameters<GuardedConnector>) => Socket;
  return (options, callback) => {
    try {
      // The socket skips the look-up when the host is an address.
      if (isIP(options.hostname) !== 0) policy.checkAddress(options.hostname);
      return connect(options, callback);
    } catch (error) {
      callback(error as Error, null);
      return null;
    }
  };
}

function vettedLookup(policy: RecipientPolicy, lookup: AddressLookup): LookupFunction {
  return (hostname, { all }, callback) => {
    lookup(hostname, { all: true }, (error, addresses) => {
      try {
        // Not every resolver says null when nothing is wrong.
        if (error) throw error;
        const vetted = vet(policy, addresses);
        if (all === true) callback(null, vetted);
        else callback(null, vetted[0]!.address, vetted[0]!.family);
      } catch (refusal) {
        callback(refusal as NodeJS.ErrnoException, []);
      }
    });
  };
}

/** All or nothing: a name with one forbidden address is somebody's trick. */
function vet(policy: RecipientPolicy, addresses: readonly LookupAddress[]): LookupAddress[] {
  if (addresses.length === 0) throw attemptError('name-not-resolved', null);
  return addresses.map(({ address }) => {
    policy.checkAddress(address);
    return { address, family: isIP(address) };
  });
}

/**
 * One look-up at a time for a name, whose answer all who wait for it share: the connections to an endpoint that are
 * opened together. Nothing is remembered beyond that.
 */
function coalesced(lookup: AddressLookup): AddressLookup {
  const waiting = new Map<string, Parameters<AddressLookup>[2][]>();
  return (hostname, options, callback) => {
    const others = waiting.get(hostname);
    if (others !== undefined) {
      others.push(callback);
      return;
    }
    const callbacks = [callback];
    waiting.set(hostname, callbacks);
    const settle: typeof callback = (error, addresses) => {
      if (waiting.get(hostname) !== callbacks) return;
      waiting.delete(hostname);
      for (const each of callbacks) each(error, addresses);
    };
    try {
      lookup(hostname, options, settle);
    } catch (error) {
      settle(error as NodeJS.ErrnoException, []);
    }
  };
}
