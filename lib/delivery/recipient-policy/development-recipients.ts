import { isIP } from 'node:net';
import type { RecipientRules, RecipientsOption } from '../../message/index.js';
import { refusalOfIpv4, refusalOfIpv6 } from './address-rules.js';
import { refusalOfName } from './name-rules.js';

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

/** Finds the reason for which a host is not public; undefined for a public one. */
export function reasonOfHost(hostname: string): string | undefined {
  const address = hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) === 4) return refusalOfIpv4(address)?.reason;
  if (isIP(address) === 6) return refusalOfIpv6(address)?.reason;
  return refusalOfName(hostname, { local: false, metadata: false, private: false })?.reason;
}
