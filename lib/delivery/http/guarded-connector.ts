import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction, type OnReadOpts, type Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { loadUndici } from './http-packages.js';
import { attemptError, toLookupError } from './transport-errors.js';
import type { RecipientPolicy } from '../recipient-policy/recipient-policy.js';
import { type TlsOptions, tlsSettings } from './tls-settings.js';
import { type AddressLookup, systemLookup } from '../recipient-policy/system-lookup.js';

/**
 * Bytes that a read takes from a connection without TLS. After headers exceed their limit, undici parses the rest of
 * the piece, and creates an error for each line of it: 64 KiB, which Node reads at once, would cost half a second.
 */
const READ_AT_ONCE = 1024;

/**
 * How long, in milliseconds, connections join a running look-up of the same name. Each look-up of the system's resolver
 * holds a thread while it runs.
 */
const SHARED_FOR = 5000;

export interface ConnectorOptions {
  /** Looks up names. Default: the system's resolver, through `dns.lookup`; name servers as well where that is slow. */
  readonly lookup?: AddressLookup;
  /** Additions to Node's own settings of TLS. Default: none. */
  readonly tls?: TlsOptions;
}

/** Starts to connect and returns the socket. The caller destroys the socket to give up. */
export type GuardedConnector = (
  options: buildConnector.Options,
  callback: buildConnector.Callback,
) => Socket | null;

/**
 * Creates connections to addresses that the policy allows. A name is looked up with all its addresses, and the policy
 * judges every address before the first one is dialled. TLS still verifies the certificate for the name.
 */
export function guardedConnector(
  policy: RecipientPolicy,
  { lookup = systemLookup, tls }: ConnectorOptions,
): GuardedConnector {
  const settings: buildConnector.BuildOptions = {
    ...tlsSettings(tls),
    lookup: vettedLookup(policy, coalesced(lookup)),
    autoSelectFamily: true,
    // The deadline of the waiting request ends the connection.
    timeout: 0,
  };
  const connectTls = connector(settings);
  return (options, callback) => {
    try {
      // The socket skips the look-up when the host is an address.
      if (isIP(options.hostname) !== 0) policy.checkAddress(options.hostname);
      return options.protocol === 'https:'
        ? connectTls(options, callback)
        : connectTcp(settings, options, callback);
    } catch (error) {
      callback(error as Error, null);
      return null;
    }
  };
}

type Connector = (...parameters: Parameters<GuardedConnector>) => Socket;

function connector(settings: buildConnector.BuildOptions): Connector {
  return loadUndici().buildConnector(settings) as Connector;
}

/**
 * Reads into one buffer per connection and copies the bytes that have arrived; Node would allocate 64 KiB for each
 * read. Each connection has its own connector, because Node does not say which socket a callback belongs to.
 */
function connectTcp(
  settings: buildConnector.BuildOptions,
  ...[options, callback]: Parameters<GuardedConnector>
): Socket {
  const onread: OnReadOpts = {
    buffer: Buffer.allocUnsafeSlow(READ_AT_ONCE),
    callback: (length, buffer) => socket.push(Buffer.from(buffer.subarray(0, length))),
  };
  const socket = connector({ ...settings, onread })(options, callback);
  return socket;
}

function vettedLookup(policy: RecipientPolicy, lookup: AddressLookup): LookupFunction {
  return (hostname, { all }, callback) => {
    lookup(hostname, { all: true }, (error, addresses) => {
      try {
        // Some resolvers report success with undefined instead of null.
        if (error) throw toLookupError(error);
        const vetted = vet(policy, addresses);
        if (all === true) callback(null, vetted);
        else callback(null, vetted[0]!.address, vetted[0]!.family);
      } catch (refusal) {
        callback(refusal as NodeJS.ErrnoException, []);
      }
    });
  };
}

/** Rejects the name as a whole: a name with one forbidden address is an attack. */
function vet(policy: RecipientPolicy, addresses: readonly LookupAddress[]): LookupAddress[] {
  if (addresses.length === 0) throw attemptError('name-not-resolved', null);
  return addresses.map(({ address }) => {
    policy.checkAddress(address);
    return { address, family: isIP(address) };
  });
}

/**
 * Lets connections that wait for the same name share one running look-up. The result is not cached. A look-up that does
 * not answer for long is no longer joined, so that it cannot block its name forever.
 */
function coalesced(lookup: AddressLookup): AddressLookup {
  const running = new Map<string, RunningLookup>();
  return (hostname, options, callback) => {
    const other = running.get(hostname);
    if (other !== undefined && performance.now() - other.startedAt < SHARED_FOR) {
      other.callbacks.push(callback);
      return;
    }
    const own: RunningLookup = { startedAt: performance.now(), callbacks: [callback] };
    running.set(hostname, own);
    const answer: typeof callback = (error, addresses) => {
      if (running.get(hostname) === own) running.delete(hostname);
      for (const each of own.callbacks.splice(0)) each(error, addresses);
    };
    try {
      lookup(hostname, options, answer);
    } catch (error) {
      answer(error as NodeJS.ErrnoException, []);
    }
  };
}

interface RunningLookup {
  readonly startedAt: number;
  readonly callbacks: Parameters<AddressLookup>[2][];
}
