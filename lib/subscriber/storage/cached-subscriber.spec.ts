import { describe, expect, it } from 'vitest';
import type { Subscriber } from '../model/subscriber.js';
import { CachedSubscriber } from './cached-subscriber.js';

const SUBSCRIBER: Subscriber = {
  id: 'sub_01890a5d-ac96-774b-bcce-000000000001',
  owner: '42',
  url: 'https://example.com/hooks',
  events: ['article.*'],
  exclude: ['article.removed'],
  filter: { state: 'PUBLISHED' },
  rateLimit: { max: 10, per: 1000 },
  ordered: true,
  onExhausted: 'hold',
  holdFor: 60_000,
  contentType: 'application/json',
  digest: 'sha256',
  secrets: [{ value: 'whsec_c2VjcmV0c2VjcmV0c2VjcmV0', expiresAt: null }],
  enabled: true,
  verification: 'none',
  expiresAt: null,
  key: null,
  format: null,
  description: 'For tests',
  metadata: { team: 'blue' },
  createdAt: new Date(1_700_000_000_000),
  updatedAt: new Date(1_700_000_000_000),
};

function cachedOf(subscriber: Subscriber): CachedSubscriber {
  return new CachedSubscriber({
    ...subscriber,
    createdAt: subscriber.createdAt.getTime(),
    updatedAt: subscriber.updatedAt.getTime(),
    expiresAt: subscriber.expiresAt?.getTime() ?? null,
    revision: 1,
  });
}

describe('CachedSubscriber', () => {
  it.each<[string, Partial<Subscriber>]>([
    ['one secret', {}],
    ['no order', { rateLimit: null, ordered: false, onExhausted: 'skip', holdFor: null }],
    ['no order but a hold', { rateLimit: null, ordered: false, holdFor: null }],
    ['no limit', { rateLimit: null }],
    ['no secret', { secrets: [] }],
    ['a secret that expires', { secrets: [{ value: 'one', expiresAt: 1 }] }],
    [
      'two secrets',
      {
        secrets: [
          { value: 'one', expiresAt: null },
          { value: 'two', expiresAt: null },
        ],
      },
    ],
    ['an end', { expiresAt: new Date(1_800_000_000_000) }],
    ['a key', { key: 'mine' }],
    ['a format', { format: 'slack' }],
    ['a later change', { updatedAt: new Date(1_800_000_000_123) }],
    ['a change before its creation', { updatedAt: new Date(1_600_000_000_000) }],
  ])('has every field of a subscriber with %s, and so have its copies', (_, fields) => {
    const subscriber = { ...SUBSCRIBER, ...fields };
    const cached = cachedOf(subscriber);
    expect({ ...cached }).toEqual(subscriber);
    expect(JSON.stringify(cached)).toBe(JSON.stringify(cachedOf({ ...cached })));
    expect(cached.secrets).toEqual(subscriber.secrets);
    expect('owner' in cached).toBe(true);
  });

  it('refuses changes', () => {
    const cached = cachedOf(SUBSCRIBER) as {
      -readonly [K in keyof Subscriber]: Subscriber[K];
    };
    expect(() => (cached.owner = '43')).toThrow(TypeError);
    expect(() => (cached.secrets = [])).toThrow(TypeError);
  });
});
