import { BlockList, isIP } from 'node:net';
import { OptionChecks } from '../../common/option-checks.js';

/**
 * Parses an IPv6 address to eight groups.
 *
 * @param address valid by `net.isIPv6`, without a zone
 */
export function parseIpv6(address: string): number[] {
  const dotted =
    address.lastIndexOf('.') === -1 ? null : address.slice(address.lastIndexOf(':') + 1);
  const text = dotted === null ? address : address.slice(0, -dotted.length) + hexGroups(dotted);
  const [head = '', tail] = text.split('::');
  const before = groupsOf(head);
  if (tail === undefined) return before;
  const after = groupsOf(tail);
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  return [...before, ...zeros, ...after];
}

/** Formats eight groups canonically, without abbreviation. */
function formatIpv6(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(':');
}

/** Formats the IPv4 address in two groups. */
export function formatIpv4(high: number, low: number): string {
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
}

/** The IPv4 address of an IPv4-mapped IPv6 address (::ffff:0:0/96), or null. */
export function mappedIpv4([a, b, c, d, e, f, high = 0, low = 0]: readonly number[]):
  string | null {
  const isMapped = a === 0 && b === 0 && c === 0 && d === 0 && e === 0 && f === 0xffff;
  return isMapped ? formatIpv4(high, low) : null;
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function hexGroups(dotted: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** The prefix of IPv4-mapped IPv6 addresses, ::ffff:0:0/96. */
const MAPPED_PREFIX = 96;

/** A set of IP networks. Each family matches only its own addresses: ::/0 contains no IPv4 address. */
export class CidrList {
  // Two lists, because one BlockList also matches IPv4 addresses in their IPv6 form.
  readonly #networks = { ipv4: new BlockList(), ipv6: new BlockList() };
  readonly isEmpty: boolean;

  /**
   * @param networks in exact CIDR notation: a network with host bits is rejected, because its meaning is ambiguous
   * @param option the option's name, for the error; networks of the library's own are exact
   * @throws {@link ThornConfigurationError}
   */
  constructor(
    networks: readonly string[],
    option = 'networks',
    check: OptionChecks = new OptionChecks(''),
  ) {
    check.assert(
      option,
      Array.isArray(networks),
      "must be a list of networks in CIDR notation, for example ['10.1.0.0/16']",
    );
    this.isEmpty = networks.length === 0;
    for (const network of networks) {
      const { address, prefix, family } = parseCidr(network, option, check);
      this.#networks[family].addSubnet(address, prefix, family);
    }
  }

  /**
   * True when a network contains the address.
   *
   * @param address an IPv4 or IPv6 address in any valid form, without a zone
   */
  has(address: string): boolean {
    if (this.isEmpty) return false;
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    return this.#networks[family].check(address, family);
  }
}

function parseCidr(network: string, option: string, check: OptionChecks) {
  const match = /^([0-9A-Fa-f.:]+)\/(0|[1-9][0-9]{0,2})$/.exec(String(network));
  const address = match?.[1] ?? '';
  const prefix = Number(match?.[2]);
  const version = isIP(address);
  if (version === 0 || prefix > (version === 4 ? 32 : 128)) {
    throw check.error(
      option,
      `holds ${JSON.stringify(network)}, which is not a network in CIDR notation; write for example 10.1.0.0/16, 10.1.2.3/32 or fd00:1::/32`,
    );
  }
  const exact = version === 4 ? maskIpv4(address, prefix) : maskIpv6(address, prefix);
  if (exact !== (version === 4 ? address : formatIpv6(parseIpv6(address)))) {
    throw check.error(
      option,
      `holds ${network}, whose host bits are not zero; write ${exact}/${prefix} for the network, or ${address}/${version === 4 ? 32 : 128} for the one address`,
    );
  }
  const mapped = version === 6 && prefix >= MAPPED_PREFIX ? mappedIpv4(parseIpv6(address)) : null;
  if (mapped !== null) {
    return { address: mapped, prefix: prefix - MAPPED_PREFIX, family: 'ipv4' as const };
  }
  return { address, prefix, family: version === 4 ? ('ipv4' as const) : ('ipv6' as const) };
}

function maskIpv4(address: string, prefix: number): string {
  return address
    .split('.')
    .map((part, index) => Number(part) & maskOf(8, prefix - 8 * index))
    .join('.');
}

function maskIpv6(address: string, prefix: number): string {
  return formatIpv6(
    parseIpv6(address).map((group, index) => group & maskOf(16, prefix - 16 * index)),
  );
}

/** The mask of one group of `width` bits whose first `bits` belong to the network. */
function maskOf(width: number, bits: number): number {
  const kept = Math.min(Math.max(bits, 0), width);
  return (2 ** width - 1) & ~(2 ** (width - kept) - 1);
}
