import { isIP } from 'node:net';
import { BoundedCache } from '../../common/collections.js';
import { RecipientRefusedError } from '../../errors/index.js';
import type { RecipientRules } from '../../message/index.js';
import { type AddressRule, embeddedIpv4, refusalOfIpv4, refusalOfIpv6 } from './address-rules.js';
import { type CidrList, mappedIpv4, parseIpv6 } from './ip-addresses.js';
import {
  developmentRemedy,
  reasonOfHost,
  checkKinds,
  parseNetworks,
  parsePorts,
} from './recipient-rules.js';
import { type AllowedNames, refusalOfName } from './name-rules.js';
import { RecipientPolicy } from './recipient-policy.js';

/**
 * Ports blocked by browsers, because another protocol's server may accept the request as its own.
 *
 * @see https://fetch.spec.whatwg.org/#port-blocking
 */
export const BAD_PORTS: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
  103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
  512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
  995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
  6669, 6679, 6697, 10080,
]);

const MAX_URL_LENGTH = 2048;
const CACHED_URLS = 20_000;
// The URL parser drops or repairs these silently, so its result differs from the text that a person reads.
const FORBIDDEN_CHARACTERS = /[\s\\\p{C}\p{Z}]/u;
const HTTP_AUTHORITY = /^https?:\/\/([^/?#]+)/i;
const METADATA_ADDRESS = '169.254.169.254';

/** Options of {@link PublicRecipientPolicy}. */
export type PublicRecipientPolicyOptions = RecipientRules;

/**
 * Allows only the public internet: `http` and `https` on the usual ports, and no address that is private,
 * local, reserved or serves a cloud's metadata, in whatever spelling.
 *
 * @example
 * ```ts
 * new PublicRecipientPolicy({ requireHttps: true, allowCidrs: ['10.20.0.0/16'], denyCidrs: ['10.20.9.0/24'] });
 * ```
 */
export class PublicRecipientPolicy extends RecipientPolicy {
  readonly #requireHttps: boolean;
  readonly #ports: ReadonlySet<number> | 'any';
  readonly #allow: CidrList;
  readonly #deny: CidrList;
  readonly #allowedNames: AllowedNames;
  readonly #checked = new BoundedCache<string, { readonly url: URL; readonly href: string }>(
    CACHED_URLS,
  );

  /** @throws `ThornConfigurationError` naming the option and the invalid value */
  constructor(options: PublicRecipientPolicyOptions = {}) {
    super();
    checkKinds(options);
    this.#requireHttps = options.requireHttps ?? false;
    this.#ports = parsePorts(options.allowedPorts);
    ({ allow: this.#allow, deny: this.#deny } = parseNetworks(options));
    this.#allowedNames = {
      local: this.#allow.has('127.0.0.1') || this.#allow.has('::1'),
      metadata: this.#allow.has(METADATA_ADDRESS),
      private: !this.#allow.isEmpty,
    };
  }

  /** Caches allowed URLs, so each one is checked once. Treat the returned URL as read-only. */
  override checkUrl(text: string): URL {
    const known = this.#checked.get(text);
    // A caller may have changed the returned object; the cached verdict is then void.
    if (known !== undefined && known.url.href === known.href) return known.url;
    const url = this.#check(text);
    this.#checked.set(text, { url, href: url.href });
    return url;
  }

  override checkAddress(address: string): void {
    // Resolvers may be untyped, and isIP accepts an array of one address as that address.
    const version = typeof address === 'string' ? isIP(address) : 0;
    if (version === 0 || address.includes('%')) {
      throw new RecipientRefusedError(
        'not-an-address',
        'the name resolves to something that is not an IP address',
      );
    }
    if (version === 4) this.#checkIpv4(address, address);
    else this.#checkIpv6(address);
  }

  #check(text: string): URL {
    if (typeof text !== 'string')
      throw new RecipientRefusedError('malformed-url', 'the URL is not a string');
    if (text.length > MAX_URL_LENGTH) {
      throw new RecipientRefusedError(
        'too-long',
        `the URL is longer than ${MAX_URL_LENGTH} characters`,
        { max: MAX_URL_LENGTH },
      );
    }
    if (FORBIDDEN_CHARACTERS.test(text)) {
      throw new RecipientRefusedError(
        'forbidden-character',
        'the URL holds a blank, a backslash or a character that cannot be seen',
      );
    }
    const url = parse(text);
    if (this.#requireHttps && url.protocol !== 'https:') {
      throw new RecipientRefusedError('protocol', 'the URL must begin with https://', {
        protocols: ['https'],
      });
    }
    this.#checkPort(url);
    this.#checkHost(url.hostname);
    return url;
  }

  #checkPort(url: URL): void {
    const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
    if (this.#ports === 'any') {
      if (BAD_PORTS.has(port)) {
        throw new RecipientRefusedError('port', `port ${port} belongs to another protocol`, {
          port,
        });
      }
    } else if (!this.#ports.has(port)) {
      const allowed = [...this.#ports].join(', ');
      const remedy = developmentRemedy(reasonOfHost(url.hostname));
      throw new RecipientRefusedError(
        'port',
        `port ${port} is not among the allowed ports ${allowed}${remedy}`,
        { port, allowed: [...this.#ports] },
      );
    }
  }

  #checkHost(hostname: string): void {
    if (hostname.startsWith('[')) {
      this.checkAddress(hostname.slice(1, -1));
    } else if (isIP(hostname) !== 0) {
      this.checkAddress(hostname);
    } else {
      this.#checkName(hostname);
    }
  }

  #checkName(hostname: string): void {
    const rule = refusalOfName(hostname, this.#allowedNames);
    if (rule !== null) {
      throw byRule(rule, hostname, { host: hostname });
    }
  }

  #checkIpv6(address: string): void {
    const mapped = mappedIpv4(parseIpv6(address));
    if (mapped !== null) return this.#checkIpv4(mapped, address);
    if (this.#deny.has(address)) throw denied(address);
    const embedded = embeddedIpv4(address);
    if (embedded?.isAll === true) {
      if (this.#allow.has(address) && !this.#deny.has(embedded.address)) return;
      this.#checkIpv4(embedded.address, address);
      return;
    }
    if (embedded !== null && this.#deny.has(embedded.address)) throw denied(address);
    if (this.#allow.has(address)) return;
    const rule =
      refusalOfIpv6(address) ?? (embedded === null ? null : refusalOfIpv4(embedded.address));
    if (rule !== null) throw byRule(rule, address, { address });
  }

  /** @param spelling the address as given, which may embed the IPv4 address */
  #checkIpv4(address: string, spelling: string): void {
    if (this.#deny.has(address)) throw denied(spelling);
    if (this.#allow.has(address)) return;
    const rule = refusalOfIpv4(address);
    if (rule !== null) throw byRule(rule, spelling, { address: spelling });
  }
}

function parse(text: string): URL {
  const authority = HTTP_AUTHORITY.exec(text)?.[1];
  if (authority === undefined) {
    throw new RecipientRefusedError(
      'protocol',
      'the URL must begin with http:// or https:// and a host',
      { protocols: ['https', 'http'] },
    );
  }
  if (authority.includes('@'))
    throw new RecipientRefusedError('credentials', 'the URL holds credentials');
  try {
    return new URL(text);
  } catch {
    throw new RecipientRefusedError('malformed-url', 'the URL is malformed');
  }
}

function byRule(
  { reason, text }: AddressRule,
  what: string,
  data: Readonly<Record<string, unknown>>,
): RecipientRefusedError {
  return new RecipientRefusedError(reason, `${what} is ${text}${developmentRemedy(reason)}`, data);
}

function denied(address: string): RecipientRefusedError {
  return new RecipientRefusedError('denied-address', `${address} is in a network that is denied`, {
    address,
  });
}
