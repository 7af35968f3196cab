import { isIP } from 'node:net';
import type { RecipientRules, RecipientsOption } from '../../message/index.js';
import { refusalOfIpv4, refusalOfIpv6 } from './address-rules.js';
import { refusalOfName } from './name-rules.js';
import { isObject } from '../../common/objects.js';
import { OptionChecks } from '../../common/option-checks.js';
import { CidrList } from './ip-addresses.js';

/** This machine and private networks on every port; not what serves a cloud's metadata. */
const DEVELOPMENT: RecipientRules = {
  allowedPorts: 'any',
  allowCidrs: [
    ...['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
    ...['::1/128', 'fc00::/7'],
  ],
  denyCidrs: ['fd00:ec2::254/128', 'fd20:ce::254/128', 'fd00:42::42/128'],
};

const LOCAL: ReadonlySet<string | undefined> = new Set([
  'local-name',
  'private-name',
  'loopback-address',
  'private-address',
]);

/** Returns the rules that the module's option `recipients` stands for. */
export function recipientRules(given: RecipientsOption | undefined): RecipientRules | undefined {
  return given === 'development' ? DEVELOPMENT : given;
}

/** Says what to do about a refusal that developers meet first; empty in production, and for other reasons. */
export function developmentRemedy(reason: string | undefined): string {
  if (!LOCAL.has(reason) || process.env['NODE_ENV'] === 'production') return '';
  return "; in development, set the option recipients: 'development'";
}

/** Returns why a host is not public; undefined for a public host. */
export function reasonOfHost(hostname: string): string | undefined {
  const address = hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) === 4) return refusalOfIpv4(address)?.reason;
  if (isIP(address) === 6) return refusalOfIpv6(address)?.reason;
  return refusalOfName(hostname, { local: false, metadata: false, private: false })?.reason;
}

/** Checks the rules of an event. @throws {@link ThornConfigurationError} naming the invalid rule */
export function checkRecipientRules(rules: RecipientRules = {}): void {
  checkKinds(rules);
  parsePorts(rules.allowedPorts);
  parseNetworks(rules);
}

const CHECK = new OptionChecks('', 'recipients.');

const KNOWN_RULES: Readonly<Record<keyof RecipientRules, true>> = {
  requireHttps: true,
  allowedPorts: true,
  allowCidrs: true,
  denyCidrs: true,
};

/**
 * Checks names and types of rules. A misspelled rule would otherwise allow recipients that it should refuse.
 *
 * @throws {@link ThornConfigurationError} naming the rule
 */
export function checkKinds(options: RecipientRules): void {
  new OptionChecks('').assert(
    'recipients',
    isObject(options),
    'must be an object such as { requireHttps: true }',
  );
  CHECK.names(options, Object.keys(KNOWN_RULES));
  CHECK.boolean('requireHttps', options.requireHttps);
}

/** Parses both lists of networks. @throws {@link ThornConfigurationError} naming the list and the invalid network */
export function parseNetworks({ allowCidrs = [], denyCidrs = [] }: RecipientRules) {
  return {
    allow: new CidrList(allowCidrs, 'allowCidrs', CHECK),
    deny: new CidrList(denyCidrs, 'denyCidrs', CHECK),
  };
}

/** Parses the list of allowed ports. @throws {@link ThornConfigurationError} */
export function parsePorts(
  allowed: readonly number[] | 'any' = [80, 443],
): ReadonlySet<number> | 'any' {
  if (allowed === 'any') return 'any';
  const isPort = (port: unknown) =>
    Number.isInteger(port) && Number(port) > 0 && Number(port) < 65536;
  CHECK.assert(
    'allowedPorts',
    Array.isArray(allowed) && allowed.length > 0 && allowed.every(isPort),
    "must be 'any' or a list of port numbers between 1 and 65535, for example [443, 8443]",
  );
  return new Set(allowed);
}
