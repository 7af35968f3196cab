import { BoundedCache } from '../../common/collections.js';
import type { RecipientRules } from '../../message/index.js';
import { PublicRecipientPolicy } from './public-recipient-policy.js';
import type { RecipientPolicy } from './recipient-policy.js';
import { checkRecipientRules } from './recipient-rules.js';

const CACHED_POLICIES = 100;

/**
 * The policies of events with rules of their own. The rules of an event override the module's, except that networks which
 * the module denies stay denied; each policy is created once.
 */
export class RecipientPolicies {
  readonly #made = new BoundedCache<string, RecipientPolicy>(CACHED_POLICIES);

  /**
   * @param standard for events without rules
   * @param rules the module's rules, which events override; checked here whatever the standard policy is
   * @throws `ThornConfigurationError` naming the invalid rule
   */
  constructor(
    readonly standard: RecipientPolicy,
    private readonly rules: RecipientRules = {},
  ) {
    checkRecipientRules(rules);
  }

  /** Returns the policy for the rules of an event. @throws {@link ThornConfigurationError} naming the invalid rule */
  of(rules: RecipientRules | undefined): RecipientPolicy {
    if (rules === undefined) return this.standard;
    const key = JSON.stringify(rules);
    let policy = this.#made.get(key);
    if (policy === undefined) {
      checkRecipientRules(rules);
      const denyCidrs = [...(this.rules.denyCidrs ?? []), ...(rules.denyCidrs ?? [])];
      policy = new PublicRecipientPolicy({ ...this.rules, ...rules, denyCidrs });
      this.#made.set(key, policy);
    }
    return policy;
  }
}
