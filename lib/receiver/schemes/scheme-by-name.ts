import { InvalidInputError } from '../../errors/index.js';
import type { Digest } from '../../message/index.js';
import { GithubScheme, StripeScheme } from './vendor-schemes.js';
import { StandardScheme } from './standard-scheme.js';
import { ThornScheme } from './thorn-scheme.js';
import { WebhookScheme } from './webhook-scheme.js';

/** Names of the schemes that come with the library. */
export type SchemeName = 'standard' | 'thorn' | 'stripe' | 'github';

const SCHEMES: Readonly<Record<SchemeName, (digest?: Digest) => WebhookScheme>> = {
  standard: () => new StandardScheme(),
  thorn: (digest) => new ThornScheme(digest),
  stripe: () => new StripeScheme(),
  github: () => new GithubScheme(),
};

/** @throws {@link InvalidInputError} for an unknown scheme, or a digest that the scheme would ignore */
export function schemeOf(scheme: unknown, digest?: Digest): WebhookScheme {
  if (digest !== undefined && scheme !== 'thorn') {
    throw new InvalidInputError('digest', "is an option of the scheme 'thorn' alone");
  }
  if (scheme instanceof WebhookScheme) return scheme;
  if (typeof scheme === 'string' && Object.hasOwn(SCHEMES, scheme)) {
    return SCHEMES[scheme as SchemeName](digest);
  }
  throw new InvalidInputError(
    'scheme',
    `must be one of ${Object.keys(SCHEMES).join(', ')}, or extend WebhookScheme`,
  );
}
