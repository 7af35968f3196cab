import { BoundedCache } from '../../common/bounded-cache.js';
import type { RecipientRules } from '../../message/index.js';
import { PublicRecipientPolicy } from './public-recipient-policy.js';
import type { RecipientPolicy } from './recipient-policy.js';

const CACHED_POLICIES = 100;

/** The policies of events with rules of their own: theirs laid over the module's, each made once. */
export class RecipientPolicies {
  readonly #made = new BoundedCache<string, RecipientPolicy>(CACHED_POLICIES);

  /**
   * @param standard for events without rules
   * @param rules what the rules of events are laid over
   */
  constructor(
    readonly standard: RecipientPolicy,
    private readonly rules: RecipientRules = {},
  ) {}

  /** @throws {@link ThornConfigurationError} naming the rule that makes no sense */
  of(rules: RecipientRules | undefined): RecipientPolicy {
    if (rules === undefined) return this.standard;
    const key = JSON.stringify(rules);
    let policy = this.#made.get(key);
    if (policy === undefined) {
      policy = new PublicRecipientPolicy({ ...this.rules, ...rules });
      this.#made.set(key, policy);
    }
    return policy;
  }
}
