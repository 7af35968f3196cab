import type { AddressRule } from './address-rules.js';

/** Kinds of names that are refused unless a policy allows the addresses behind them. */
export interface AllowedNames {
  readonly local: boolean;
  readonly metadata: boolean;
  readonly private: boolean;
}

// The URL parser accepts other names too, and resolvers may interpret them in different ways.
const HOST_NAME = /^(?:[a-z0-9_-]{1,63}\.){0,126}[a-z0-9_-]{1,63}\.?$/;
const MAX_LENGTH = 254;

const MALFORMED: AddressRule = {
  reason: 'malformed-url',
  text: 'neither an address nor a name',
};
const KINDS: readonly (AddressRule & { kind: keyof AllowedNames; pattern: RegExp })[] = [
  {
    kind: 'local',
    reason: 'local-name',
    text: 'a name of the local machine',
    pattern:
      /^(?:(?:.*\.)?(?:localhost|localdomain[46]?)|localhost[46]|(?:ip6-)?loopback|ip6-localhost|broadcasthost)$/,
  },
  {
    kind: 'metadata',
    reason: 'metadata-name',
    text: 'a name of a cloud provider’s metadata',
    pattern: /^(?:metadata(?:\.google\.internal|\.goog)?|instance-data(?:\.ec2\.internal)?)$/,
  },
  {
    kind: 'private',
    reason: 'private-name',
    text: 'a name of private networks',
    // RFC 6762, RFC 8375, and ICANN's resolution 2024.07.29.06.
    pattern: /(?:^|\.)(?:internal|local|home\.arpa)$/,
  },
];

/**
 * Finds the first rule that refuses a name outside of the public internet, or null.
 *
 * @param hostname in the URL parser's form; not an address
 */
export function refusalOfName(hostname: string, allowed: AllowedNames): AddressRule | null {
  const name = hostname.replace(/\.+$/, '');
  const rule = KINDS.find(({ kind, pattern }) => !allowed[kind] && pattern.test(name));
  if (rule !== undefined) return rule;
  return HOST_NAME.test(hostname) && hostname.length <= MAX_LENGTH ? null : MALFORMED;
}
