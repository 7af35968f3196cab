import { describe, expect, it } from 'vitest';
import { InvalidInputError, RecipientRefusedError } from '../../errors/index.js';
import { type SubscriberSource, WebhookFormat, WebhookFormats } from '../../message/index.js';
import { resolveSubscribers } from './static-subscribers.js';

const rules = {
  checkUrl(url: string): void {
    if (url.includes('forbidden'))
      throw new RecipientRefusedError('private-address', 'the address is private');
  },
  checkSecret(secret: string): void {
    if (secret.length < 16) throw new InvalidInputError('secret', 'must be longer');
  },
  contentTypes: ['application/json', 'application/x-www-form-urlencoded'],
  formats: new WebhookFormats({
    formats: {
      chat: new (class extends WebhookFormat {
        request = () => ({ body: '' });
      })(),
    },
  }),
};
const resolve = (source: SubscriberSource) =>
  resolveSubscribers(source, 'order.paid', 'ada', rules);
const SECRET = 'a secret of this length';

describe('static subscribers', () => {
  it('are found in every form that they can be given in, nested freely', async () => {
    const source: SubscriberSource = [
      'https://one.example',
      {
        url: 'https://two.example',
        secret: SECRET,
        contentType: 'application/x-www-form-urlencoded',
        digest: 'sha512',
      },
      () => 'https://three.example',
      async (event, owner) => [
        `https://four.example/${event}`,
        async () => `https://five.example/${owner}`,
      ],
      function* () {
        yield 'https://six.example';
        yield ['https://seven.example', null];
      },
      async function* () {
        yield () => ({ url: 'https://eight.example' });
      },
      undefined,
      null,
    ];

    const found = await resolve(source);

    expect(found.map(({ url }) => url)).toEqual([
      'https://one.example',
      'https://two.example',
      'https://three.example',
      'https://four.example/order.paid',
      'https://five.example/ada',
      'https://six.example',
      'https://seven.example',
      'https://eight.example',
    ]);
    expect(found[1]).toMatchObject({
      contentType: 'application/x-www-form-urlencoded',
      digest: 'sha512',
      secrets: [{ value: SECRET, expiresAt: null }],
    });
  });

  it('are one when URL and secret are the same, and have ids that stay', async () => {
    const found = await resolve([
      'https://one.example',
      { url: 'https://one.example' },
      { url: 'https://one.example', secret: SECRET },
    ]);
    const again = await resolve({ url: 'https://one.example', secret: SECRET });

    expect(found).toHaveLength(2);
    expect(again[0]!.id).toBe(found[1]!.id);
    expect(again[0]!.id).not.toBe(found[0]!.id);
    expect(again[0]!.id).not.toContain(SECRET);
  });

  it('may have null in fields that are not set, as a row has', async () => {
    const row = { url: 'https://one.example', ordered: null, onExhausted: null, digest: null };
    const plain = await resolve('https://one.example');
    expect(await resolve(row as unknown as SubscriberSource)).toEqual(plain);
  });

  it('ask for an order', async () => {
    const order = { ordered: true, onExhausted: 'hold', holdFor: 60_000 } as const;
    const found = await resolve([
      { url: 'https://one.example', ...order },
      { url: 'https://two.example', ordered: true },
      { url: 'https://three.example', ordered: false },
    ]);

    expect(found).toMatchObject([
      order,
      { ordered: true, onExhausted: 'skip', holdFor: null },
      { url: 'https://three.example' },
    ]);
    expect(found[2]).not.toHaveProperty('ordered');
  });

  it.each<[string, unknown, RegExp]>([
    ['a number', 42, /not a number/],
    ['an object without a url', { address: 'https://one.example' }, /unknown property address/],
    ['an empty object', {}, /must have a url, as in \{ url: 'https/],
    ['an undefined url', { url: undefined }, /must have a url, and it is undefined\. Set what it/],
    ['a url that is no text', { url: 5 }, /must have a url, which is a text, not number/],
    [
      'a content type without a codec',
      { url: 'https://one.example', contentType: 'text/plain' },
      /have contentType, which must be one of/,
    ],
    [
      'a content type beside a format',
      {
        ...{ url: 'https://one.example', format: 'chat' },
        contentType: 'application/x-www-form-urlencoded',
      },
      /have contentType, which is for the standard format/,
    ],
    [
      'an unknown digest',
      { url: 'https://one.example', digest: 'md5' },
      /have digest, which must be one of/,
    ],
    [
      'a limit that makes no sense',
      { url: 'https://one.example', rateLimit: { max: 0, per: 1000 } },
      /have rateLimit, which must be/,
    ],
    [
      'an order that is none',
      { url: 'https://one.example', ordered: 'yes' },
      /have ordered, which must be/,
    ],
    [
      'an unknown end of an order',
      { url: 'https://one.example', ordered: true, onExhausted: 'stop' },
      /have onExhausted, which must be/,
    ],
    [
      'a hold without an end that holds',
      { url: 'https://one.example', ordered: true, holdFor: 1000 },
      /have holdFor, which is for onExhausted "hold"/,
    ],
    ['a weak secret', { url: 'https://one.example', secret: 'weak' }, /must be longer/],
    ['a refused recipient', 'https://forbidden.example', /private/],
  ])('refuse %s', async (_, source, message) => {
    await expect(resolve(source as SubscriberSource)).rejects.toThrow(message);
  });

  it('end a function that answers itself', async () => {
    const endless: SubscriberSource = () => endless;

    await expect(resolve(endless)).rejects.toThrow(/nested deeper/);
  });
});
