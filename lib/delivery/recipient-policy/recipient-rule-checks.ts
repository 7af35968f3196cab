import { isObject } from '../../common/objects.js';
import { OptionChecks } from '../../common/option-checks.js';
import type { RecipientRules } from '../../message/index.js';
import { CidrList } from './cidr-list.js';

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
