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
export function formatIpv6(groups: readonly number[]): string {
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
