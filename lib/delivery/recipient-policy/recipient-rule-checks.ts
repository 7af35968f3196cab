import { ThornConfigurationError } from '../../errors/index.js';
import type { RecipientRules } from '../../message/index.js';
import { CidrList } from './cidr-list.js';

/** @throws {@link ThornConfigurationError} naming the rule that makes no sense */
export function checkRecipientRules(rules: RecipientRules = {}): void {
  checkKinds(rules);
  portsOf(rules.allowedPorts);
  networksOf(rules);
}

const KNOWN_RULES: Readonly<Record<keyof RecipientRules, true>> = {
  requireHttps: true,
  allowedPorts: true,
  allowCidrs: true,
  denyCidrs: true,
};

/**
 * A rule that is misspelled or of another kind would otherwise let through what its author meant to keep out.
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

/** @throws {@link ThornConfigurationError} naming the list and the network that is none */
export function networksOf({ allowCidrs = [], denyCidrs = [] }: RecipientRules) {
  return {
    allow: new CidrList('allowCidrs', allowCidrs),
    deny: new CidrList('denyCidrs', denyCidrs),
  };
}

/** @throws {@link ThornConfigurationError} */
export function portsOf(
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
