import { describe, expect, it } from 'vitest';
import { UndiciHttpClient } from '../../lib/delivery/index.js';
import { webhookHttpClientConformance } from '../../lib/testing/index.js';

const runner = { describe, it, expect };

webhookHttpClientConformance(
  { name: 'UndiciHttpClient', makeClient: (policy) => new UndiciHttpClient(policy) },
  runner,
);
webhookHttpClientConformance(
  {
    name: 'UndiciHttpClient with axios interceptors',
    makeClient: (policy) => {
      const client = new UndiciHttpClient(policy);
      client.axios.interceptors.request.use((config) => config);
      return client;
    },
  },
  runner,
);
webhookHttpClientConformance(
  {
    name: 'UndiciHttpClient with axios defaults, and an interceptor that makes the request anew',
    makeClient: (policy) => {
      const client = new UndiciHttpClient(policy);
      client.axios.defaults.headers.common['X-Tenant'] = 'acme, inc';
      client.axios.interceptors.request.use((config) => ({ ...config }));
      return client;
    },
  },
  runner,
);
