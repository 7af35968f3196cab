import { CidrList, formatIpv4, parseIpv6 } from './ip-addresses.js';

/** A rule that refuses an address. */
export interface AddressRule {
  /** Short stable word for programs. */
  readonly reason: string;
  /** A description for people. It follows "… is ". */
  readonly text: string;
}

/**
 * The IPv4 networks outside of the public internet.
 *
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry/
 */
const IPV4_RULES = rules({
  'unspecified-address': ['an address of "this network"', ['0.0.0.0/8']],
  'private-address': ['a private address', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']],
  'shared-address': ['a carrier-grade NAT address', ['100.64.0.0/10']],
  'loopback-address': ['a loopback address', ['127.0.0.0/8']],
  'link-local-address': ['a link-local address', ['169.254.0.0/16']],
  'multicast-address': ['a multicast address', ['224.0.0.0/4']],
  'benchmarking-address': ['a benchmarking address', ['198.18.0.0/15']],
  'documentation-address': [
    'a documentation address',
    ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'],
  ],
  // Includes the limited broadcast address, 255.255.255.255, and anycast services other than web servers (AS112, AMT).
  'reserved-address': [
    'a reserved address',
    [
      '192.0.0.0/24',
      '192.31.196.0/24',
      '192.52.193.0/24',
      '192.88.99.0/24',
      '192.175.48.0/24',
      '240.0.0.0/4',
    ],
  ],
  // Public addresses that serve cloud metadata to virtual machines: Azure, Equinix Metal.
  'metadata-address': [
    'an address of a cloud provider’s metadata',
    ['168.63.129.16/32', '192.80.8.124/32'],
  ],
});

/**
 * The networks refused within 2000::/3; everything outside of 2000::/3 is refused as a whole.
 *
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry/
 */
const IPV6_RULES = rules({
  'tunnel-address': ['an address of a tunnel (Teredo or 6to4)', ['2001::/32', '2002::/16']],
  // ORCHID, benchmarking and anycast services; none of them contains web servers.
  'reserved-address': ['a reserved address', ['2001::/23', '2620:4f:8000::/48', '3ffe::/16']],
  'documentation-address': ['a documentation address', ['2001:db8::/32', '3fff::/20']],
});

const IPV6_NAMED = rules({
  'loopback-address': ['a loopback address', ['::1/128']],
  'unspecified-address': ['the unspecified address', ['::/128']],
  'private-address': ['a unique local address', ['fc00::/7']],
  'link-local-address': ['a link-local address', ['fe80::/10']],
  'multicast-address': ['a multicast address', ['ff00::/8']],
  'tunnel-address': ['an IPv4-compatible address', ['::/96']],
});

const GLOBAL_UNICAST = new CidrList(['2000::/3']);
const NOT_GLOBAL: AddressRule = {
  reason: 'reserved-address',
  text: 'outside of the global unicast addresses',
};

/** Finds the first rule that refuses an IPv4 address, or null. */
export function refusalOfIpv4(address: string): AddressRule | null {
  return firstMatch(IPV4_RULES, address);
}

/** Finds the first rule that refuses an IPv6 address, or null; an embedded IPv4 address is not judged. */
export function refusalOfIpv6(address: string): AddressRule | null {
  if (GLOBAL_UNICAST.has(address)) return firstMatch(IPV6_RULES, address);
  return firstMatch(IPV6_NAMED, address) ?? NOT_GLOBAL;
}

/** The IPv4 destination of packets to an IPv6 address. */
export interface EmbeddedIpv4 {
  readonly address: string;
  /** True when only the IPv4 address needs a judgement. */
  readonly isAll: boolean;
}

/**
 * Finds the IPv4 address within an IPv6 address: NAT64 (64:ff9b::/96), and ISATAP (an interface identifier of 0:5efe or
 * 200:5efe). The other tunnels are refused as networks; for mapped addresses see {@link mappedIpv4}.
 */
export function embeddedIpv4(address: string): EmbeddedIpv4 | null {
  const groups = parseIpv6(address);
  const [a, b, c, d, e, f, high = 0, low = 0] = groups;
  if (a === 0x64 && b === 0xff9b && c === 0 && d === 0 && e === 0 && f === 0) {
    return { address: formatIpv4(high, low), isAll: true };
  }
  if ((e === 0 || e === 0x200) && f === 0x5efe) {
    return { address: formatIpv4(high, low), isAll: false };
  }
  return null;
}

interface NetworkRule extends AddressRule {
  readonly networks: CidrList;
}

function rules(table: Record<string, [text: string, networks: string[]]>): readonly NetworkRule[] {
  return Object.entries(table).map(([reason, [text, networks]]) => ({
    reason,
    text,
    networks: new CidrList(networks),
  }));
}

function firstMatch(candidates: readonly NetworkRule[], address: string): AddressRule | null {
  return candidates.find(({ networks }) => networks.has(address)) ?? null;
}
