import { describe, expect, it } from 'vitest';
import { StandardRetryPolicy } from '../../lib/delivery/index.js';
import { retryPolicyConformance } from './retry-policy.js';

const runner = { describe, it, expect };

retryPolicyConformance(
  { name: 'StandardRetryPolicy', makePolicy: () => new StandardRetryPolicy() },
  runner,
);
retryPolicyConformance(
  {
    name: 'StandardRetryPolicy with a schedule of its own',
    makePolicy: () =>
      new StandardRetryPolicy({
        schedule: [0, 10, 10, 500],
        jitter: 1,
        retryAfterCap: 0,
      }),
  },
  runner,
);
