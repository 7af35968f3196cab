import { InvalidInputError } from '../../errors/index.js';
import type { Digest } from '../../message/index.js';
import { GithubScheme } from './github-scheme.js';
import { StandardScheme } from './standard-scheme.js';
import { StripeScheme } from './stripe-scheme.js';
import { ThornScheme } from './thorn-scheme.js';
import { WebhookScheme } from './webhook-scheme.js';

/** The schemes that come along. */
export type SchemeName = 'standard' | 'thorn' | 'stripe' | 'github';

const SCHEMES: Readonly<Record<SchemeName, (digest?: Digest) => WebhookScheme>> = {
  standard: () => new StandardScheme(),
  thorn: (digest) => new ThornScheme(digest),
  stripe: () => new StripeScheme(),
  github: () => new GithubScheme(),
};

/**
 * The scheme of a name, or the one that is given.
 *
 * @throws {@link InvalidInputError} when it is none, or when a digest is given that it would ignore
 */
export function schemeOf(scheme: unknown, digest?: Digest): WebhookScheme {
  if (digest !== undefined && scheme !== 'thorn') {
    throw new InvalidInputError('digest', "is for the scheme 'thorn' alone");
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
