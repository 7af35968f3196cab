import { ThornConfigurationError } from '../../errors/index.js';
import type { RecipientRules } from '../../message/index.js';
import { CidrList } from './cidr-list.js';

/** Checks the rules of an event. @throws {@link ThornConfigurationError} naming the invalid rule */
export function checkRecipientRules(rules: RecipientRules = {}): void {
  checkKinds(rules);
  parsePorts(rules.allowedPorts);
  parseNetworks(rules);
}

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
  if (!isPlainObject(options)) {
    throw new ThornConfigurationError(
      'recipients must be an object such as { requireHttps: true }.',
    );
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(KNOWN_RULES, name));
  if (unknown !== undefined) {
    throw new ThornConfigurationError(
      `recipients.${unknown} is unknown; known are ${Object.keys(KNOWN_RULES).join(', ')}.`,
      { option: unknown },
    );
  }
  const { requireHttps } = options;
  if (requireHttps !== undefined && typeof requireHttps !== 'boolean') {
    throw new ThornConfigurationError('recipients.requireHttps must be true or false.', {
      option: 'requireHttps',
    });
  }
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses both lists of networks. @throws {@link ThornConfigurationError} naming the list and the invalid network */
export function parseNetworks({ allowCidrs = [], denyCidrs = [] }: RecipientRules) {
  return {
    allow: new CidrList('allowCidrs', allowCidrs),
    deny: new CidrList('denyCidrs', denyCidrs),
  };
}

/** Parses the list of allowed ports. @throws {@link ThornConfigurationError} */
export function parsePorts(
  allowed: readonly number[] | 'any' = [80, 443],
): ReadonlySet<number> | 'any' {
  if (allowed === 'any') return 'any';
  const isPort = (port: unknown) =>
    Number.isInteger(port) && Number(port) > 0 && Number(port) < 65536;
  if (!Array.isArray(allowed) || allowed.length === 0 || !allowed.every(isPort)) {
    throw new ThornConfigurationError(
      "allowedPorts must be 'any' or a list of port numbers between 1 and 65535, for example [443, 8443].",
      { allowedPorts: allowed },
    );
  }
  return new Set(allowed);
}
