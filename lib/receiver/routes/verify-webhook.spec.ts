import { createHmac, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { Webhook as StandardJudge } from 'standardwebhooks';
import { Webhook as SvixJudge } from 'svix';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../errors/index.js';
import {
  generateSecret,
  generateSigningKeyPair,
  StandardWebhookSigner,
} from '../../signing/index.js';
import { signWebhook, type SignWebhookInput } from '../../testing/index.js';
import { verifyWebhook, type VerifyWebhookInput, WebhookRejectedError } from '../index.js';

const now = 1_700_000_000_000;
const body = '{"type":"order.paid","data":{"title":"Grüße"}}';
const secret = generateSecret();

describe('published vectors', () => {
  it('verifies that of Standard Webhooks', () => {
    const webhook = verifyWebhook({
      headers: {
        'Webhook-Id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        'Webhook-Timestamp': '1614265330',
        'Webhook-Signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
      },
      body: '{"test": 2432232314}',
      secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
      now: 1614265330_000,
    });

    expect(webhook).toMatchObject({
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: 1614265330_000,
      event: null,
      payload: { test: 2432232314 },
    });
    expect(webhook.rawBody.toString()).toBe('{"test": 2432232314}');
  });

  it('verifies that of GitHub', () => {
    const webhook = verifyWebhook({
      scheme: 'github',
      headers: {
        'x-hub-signature-256':
          'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
      },
      body: 'Hello, World!',
      secrets: ["It's a Secret to Everybody"],
    });

    expect(webhook).toMatchObject({ id: null, event: null, timestamp: null });
    expect(webhook.payload).toEqual(Buffer.from('Hello, World!'));
  });

  // The fixture of Stripe's .NET library: event_test_signature.json and its EventUtilityTest.
  const stripe = {
    scheme: 'stripe',
    headers: {
      'stripe-signature':
        't=1533204620,v1=2220f87ef101a04665f11cdf770523143f875572008577fa0f20882ddb9cc3c7,v0=63f3a72374a733066c4be69ed7f8e5ac85c22c9f0a6a612ab9a025a9e4ee7eef',
    },
    body: `${JSON.stringify(
      {
        id: 'evt_123',
        object: 'event',
        account: 'acct_123',
        api_version: '2017-05-25',
        created: 1533204620,
        data: {
          object: {
            id: 'cus_123',
            object: 'customer',
            created: 123456789,
            email: 'test@stripe.com',
            livemode: false,
            metadata: {},
          },
        },
        livemode: false,
        pending_webhooks: 1,
        request: { id: 'req_123', idempotency_key: 'idempotency-key-123' },
        type: 'customer.created',
      },
      null,
      2,
    )}\n`,
    secrets: ['webhook_secret'],
    now: 1533204720_000,
  } satisfies VerifyWebhookInput;

  it('verifies that of Stripe', () => {
    expect(verifyWebhook(stripe)).toMatchObject({
      id: 'evt_123',
      event: 'customer.created',
      timestamp: 1533204620_000,
      payload: { account: 'acct_123' },
    });
    expectRefusal({ ...stripe, body: `${stripe.body}!` }, 'wrong-signature');
    expectRefusal({ ...stripe, now: 1533204620_000 + 300_001 }, 'too-old');
  });

  it('ignores the v0 of Stripe', () => {
    const headers = {
      'stripe-signature': stripe.headers['stripe-signature'].replace('v1=', 'v2='),
    };

    expectRefusal({ ...stripe, headers }, 'malformed-header');
  });
});

describe('independent judges', () => {
  it.each([
    ['standardwebhooks', StandardJudge],
    ['svix', SvixJudge],
  ])('accepts what the package %s signs', (_, Judge) => {
    const signature = new Judge(secret).sign('msg_1', new Date(now), body);
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(now / 1000),
      'webhook-signature': signature,
    };

    expect(verifyWebhook({ headers, body, secrets: [secret], now }).id).toBe('msg_1');
    expectRefusal({ headers, body, secrets: [generateSecret()], now }, 'wrong-signature');
  });

  it.each([
    ['standardwebhooks', StandardJudge],
    ['svix', SvixJudge],
  ])('signs what the package %s accepts', (_, Judge) => {
    const signed = signWebhook({ body, secrets: [generateSecret(), secret] });

    expect(new Judge(secret).verify(signed.body, { ...signed.headers })).toMatchObject({
      type: 'order.paid',
    });
  });

  it('accepts what the sender of this package signs', () => {
    const recipient = {
      id: 'sub_1',
      url: 'https://example.com/',
      contentType: 'application/json',
      digest: 'sha512',
      secrets: [{ value: secret, expiresAt: null }],
    } as const;
    const bytes = Buffer.from(body);
    const input = { id: 'msg_1', event: 'order.paid', time: now, body: bytes, recipient };
    const headers = new StandardWebhookSigner(undefined, { hookHmac: true }).sign(input);

    expect(verifyWebhook({ headers, body, secrets: [secret], now }).event).toBe('order.paid');
    verifyWebhook({ headers, body, secrets: [secret], scheme: 'thorn', digest: 'sha512' });
    expectRefusal({ headers, body, secrets: [secret], scheme: 'thorn' }, 'wrong-signature');
  });

  it('accepts v1a signatures of Node, which verifies those of signWebhook', () => {
    const pair = ed25519();
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(now / 1000),
      'webhook-signature': `v1a,${sign(null, Buffer.from(`msg_1.${now / 1000}.${body}`), pair.privateKey).toString('base64')}`,
    };
    const signed = signWebhook({ body, secrets: [pair.whsk], id: 'msg_1', time: now });

    expect(verifyWebhook({ headers, body, secrets: [pair.whpk], now }).id).toBe('msg_1');
    expect(signed.headers).toMatchObject(headers);
    expect(
      verify(
        null,
        Buffer.from(`msg_1.${now / 1000}.${body}`),
        pair.publicKey,
        Buffer.from(signed.headers['webhook-signature']!.slice(4), 'base64'),
      ),
    ).toBe(true);
    expectRefusal({ headers, body, secrets: [ed25519().whpk], now }, 'wrong-signature');
  });
});

describe('several secrets', () => {
  const pair = ed25519();
  const text = 'any text of sixteen characters or more';
  const signed = signWebhook({ body, secrets: [secret, pair.whsk, text], time: now });

  it.each([
    ['the first of three signatures', [secret]],
    ['the second, of another kind', [pair.whpk]],
    ['the third', [text]],
    ['the second secret', [generateSecret(), secret]],
    ['a public key after another secret', [generateSecret(), pair.whpk]],
  ])('needs one that fits: %s', (_, secrets) => {
    expect(verifyWebhook({ ...signed, secrets, now }).payload).toEqual(JSON.parse(body));
  });

  it('accepts a whsec_ secret without its padding', () => {
    const bare = secret.replace('=', '');
    expect(bare).not.toBe(secret);

    expect(verifyWebhook({ ...signed, secrets: [bare], now }).payload).toEqual(JSON.parse(body));
  });

  it('rejects when none fits', () => {
    const secrets = [generateSecret(), ed25519().whpk];

    expectRefusal({ ...signed, secrets, now }, 'wrong-signature');
  });

  it('rejects a v1 signature that is called v1a, and the other way round', () => {
    const swapped = signed.headers['webhook-signature']!.replaceAll(/v1(a?),/g, (_, a) =>
      a ? 'v1,' : 'v1a,',
    );
    const headers = { ...signed.headers, 'webhook-signature': swapped };

    expectRefusal({ body, headers, secrets: [secret, pair.whpk], now }, 'wrong-signature');
  });
});

describe('one flipped bit', () => {
  const pair = ed25519();
  const cases: readonly (SignWebhookInput & { flip: string[]; verify: string[] })[] = [
    {
      flip: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
      secrets: [secret],
      verify: [secret],
      body,
    },
    {
      flip: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
      secrets: [pair.whsk],
      verify: [pair.whpk],
      body,
    },
    { scheme: 'thorn', flip: ['hook-hmac'], secrets: [secret], verify: [secret], body },
    { scheme: 'stripe', flip: ['stripe-signature'], secrets: ['stripe'], verify: ['stripe'], body },
    { scheme: 'github', flip: ['x-hub-signature-256'], secrets: ['hub'], verify: ['hub'], body },
  ];

  it.each(cases)(
    'of body, id, timestamp or signature is found: $scheme $flip $secrets.length',
    ({ flip, verify: secrets, ...input }) => {
      const scheme = input.scheme ?? 'standard';
      const signed = signWebhook({ ...input, time: now });
      const options = { scheme, secrets, now };
      verifyWebhook({ ...signed, ...options });
      const parts = [
        { part: 'body', bytes: signed.body },
        ...flip.map((part) => ({ part, bytes: Buffer.from(signed.headers[part]!) })),
      ];
      const flips = parts.flatMap(({ part, bytes }) =>
        Array.from({ length: bytes.length * 8 }, (_, bit) => ({ part, bytes, bit })),
      );

      fc.assert(
        fc.property(fc.constantFrom(...flips), ({ part, bytes, bit }) => {
          const flipped = Buffer.from(bytes);
          flipped[bit >> 3]! ^= 1 << (bit & 7);
          const headers = { ...signed.headers, [part]: flipped.toString('latin1') };
          const received = part === 'body' ? { ...signed, body: flipped } : { ...signed, headers };

          expect(() => verifyWebhook({ ...received, ...options, tolerance: Infinity })).toThrow(
            WebhookRejectedError,
          );
        }),
        { numRuns: 1500, seed: 1 },
      );
    },
  );
});

describe('the tolerance', () => {
  it.each([
    [0, undefined, undefined],
    [300_000, undefined, undefined],
    [300_001, undefined, 'too-old'],
    [-300_000, undefined, undefined],
    [-300_001, undefined, 'too-new'],
    [10_000, 10_000, undefined],
    [10_001, 10_000, 'too-old'],
    [1e12, Infinity, undefined],
  ] as const)('%i ms away with a tolerance of %s: %s', (away, tolerance, reason) => {
    for (const scheme of ['standard', 'stripe'] as const) {
      const signed = signWebhook({ body, secrets: [secret], scheme, time: now });
      const input = {
        ...signed,
        scheme,
        secrets: [secret],
        now: now + away,
        ...(tolerance !== undefined && { tolerance }),
      };
      if (reason === undefined) expect(verifyWebhook(input).timestamp).toBe(now);
      else expectRefusal(input, reason);
    }
  });
});

describe('a request with a wrong signature', () => {
  const standard = signWebhook({ body, secrets: [secret], time: now });
  const stripe = signWebhook({ body, secrets: [secret], time: now, scheme: 'stripe' });
  const hex = 'a'.repeat(64);

  it.each([
    ['no id', 'standard', { ...standard.headers, 'webhook-id': undefined }, 'missing-header'],
    ['an empty id', 'standard', { ...standard.headers, 'webhook-id': '' }, 'missing-header'],
    [
      'no timestamp',
      'standard',
      { ...standard.headers, 'webhook-timestamp': undefined },
      'missing-header',
    ],
    [
      'no signature',
      'standard',
      { ...standard.headers, 'webhook-signature': undefined },
      'missing-header',
    ],
    [
      'a date',
      'standard',
      { ...standard.headers, 'webhook-timestamp': '2023-11-14' },
      'malformed-header',
    ],
    [
      'a fraction',
      'standard',
      { ...standard.headers, 'webhook-timestamp': '1700000000.5' },
      'malformed-header',
    ],
    [
      'a negative time',
      'standard',
      { ...standard.headers, 'webhook-timestamp': '-1' },
      'malformed-header',
    ],
    [
      'a time that came twice',
      'standard',
      { ...standard.headers, 'webhook-timestamp': ['1700000000', '1700000000'] },
      'malformed-header',
    ],
    [
      'v2 alone',
      'standard',
      { ...standard.headers, 'webhook-signature': 'v2,abc' },
      'malformed-header',
    ],
    [
      'eleven signatures',
      'standard',
      { ...standard.headers, 'webhook-signature': 'v1,abc '.repeat(11) },
      'malformed-header',
    ],
    [
      'an empty signature',
      'standard',
      { ...standard.headers, 'webhook-signature': 'v1,' },
      'wrong-signature',
    ],
    ['nothing of Stripe', 'stripe', {}, 'missing-header'],
    ['t alone', 'stripe', { 'stripe-signature': 't=1700000000' }, 'malformed-header'],
    ['v1 alone', 'stripe', { 'stripe-signature': `v1=${hex}` }, 'malformed-header'],
    ['no time', 'stripe', { 'stripe-signature': `t=,v1=${hex}` }, 'malformed-header'],
    [
      'two times',
      'stripe',
      { 'stripe-signature': `t=1,${stripe.headers['stripe-signature']}` },
      'malformed-header',
    ],
    [
      'upper case',
      'stripe',
      { 'stripe-signature': stripe.headers['stripe-signature']!.toUpperCase() },
      'malformed-header',
    ],
    ['nothing of GitHub', 'github', {}, 'missing-header'],
    ['sha1 of GitHub', 'github', { 'x-hub-signature': `sha1=${hex.slice(24)}` }, 'missing-header'],
    ['another digest of GitHub', 'github', { 'x-hub-signature-256': hex }, 'wrong-signature'],
    ['nothing of Thorn', 'thorn', {}, 'missing-header'],
    ['an empty Hook-HMAC', 'thorn', { 'hook-hmac': '' }, 'missing-header'],
  ] as const)('is rejected: %s', (_, scheme, headers, reason) => {
    expectRefusal({ scheme, headers, body, secrets: [secret], now }, reason);
  });

  it('is rejected with a dot in its id, where part of the body could pass for the time', () => {
    const given = { body: `${now / 1000}.{"a":1}`, secrets: [secret], id: 'm', time: 1000 };
    const { headers } = signWebhook(given);
    const moved = {
      ...headers,
      'webhook-id': 'm.1',
      'webhook-timestamp': String(now / 1000),
    };

    const text = { ...headers, 'content-type': 'text/plain' };
    verifyWebhook({ headers: text, body: given.body, secrets: [secret], now: 1000 });
    const refused = { headers: moved, body: '{"a":1}', secrets: [secret], now };
    expectRefusal(refused, 'malformed-header');
    expect(String(refusalOf(refused))).toContain('the header webhook-id must not contain a dot');
    expect(() => signWebhook({ body, secrets: [secret], id: 'm.1' })).toThrow(InvalidInputError);
  });

  it('is rejected with an id whose bytes are cut to those of the signed one', () => {
    const { publicKey, privateKey } = generateSigningKeyPair();
    const given = { body, id: 'msg_a', time: now };

    for (const [signing, verifying] of [
      [secret, secret],
      [privateKey, publicKey],
    ] as const) {
      const { headers } = signWebhook({ ...given, secrets: [signing] });
      const forged = { ...headers, 'webhook-id': 'msg_\u0161' };

      verifyWebhook({ headers, body, secrets: [verifying], now });
      expectRefusal({ headers: forged, body, secrets: [verifying], now }, 'malformed-header');
    }
  });

  it('is rejected when the headers are inherited', () => {
    const error = refusalOf({
      headers: Object.create(standard.headers) as {},
      body,
      secrets: [secret],
    });

    expect(error).toMatchObject({ reason: 'missing-header' });
  });

  it('gives an error without the secret and without what was received', () => {
    const error = refusalOf({ ...standard, secrets: [generateSecret()], now });
    const text = inspect(error, { depth: 9 });

    for (const part of [...Object.values(standard.headers), 'Grüße', secret]) {
      expect(text).not.toContain(part);
    }
  });
});

describe('headers and body', () => {
  it('may have the header names of Svix', () => {
    const signed = signWebhook({ body, secrets: [secret], id: 'msg_1', time: now });
    const svix = Object.fromEntries(
      Object.entries(signed.headers).map(([name, value]) => [
        name.replace('webhook-', 'svix-'),
        value,
      ]),
    );

    const input = { headers: svix, body, secrets: [secret], now };
    expect(verifyWebhook(input)).toMatchObject({
      id: 'msg_1',
      timestamp: now,
      event: 'order.paid',
    });
    expectRefusal({ ...input, body: `${body} ` }, 'wrong-signature');
    expectRefusal({ ...input, now: now + 600_000 }, 'too-old');
    // Never some of one family and some of the other.
    const mixed = { ...svix, 'svix-id': undefined, 'webhook-id': 'msg_1' };
    expectRefusal({ ...input, headers: mixed }, 'missing-header');
    const both = { ...signed.headers, 'svix-id': 'forged', 'svix-signature': 'v1,forged' };
    expect(verifyWebhook({ ...input, headers: both }).id).toBe('msg_1');
  });

  it('are accepted as Node, fetch and queues have them', () => {
    const signed = signWebhook({ body, secrets: [secret], time: now });
    const upper = Object.fromEntries(
      Object.entries(signed.headers).map(([name, value]) => [name.toUpperCase(), value]),
    );
    const lists = Object.fromEntries(
      Object.entries(signed.headers).map(([name, value]) => [name, [value]]),
    );
    for (const headers of [
      upper,
      lists,
      new Headers(signed.headers),
      new Map(Object.entries(upper)),
    ]) {
      for (const bytes of [body, Buffer.from(body), new TextEncoder().encode(body)]) {
        expect(verifyWebhook({ headers, body: bytes, secrets: [secret], now }).payload).toEqual(
          JSON.parse(body),
        );
      }
    }
  });

  it('must be raw: a parsed body is refused with the reason', () => {
    const { headers } = signWebhook({ body, secrets: [secret] });
    const parsed = JSON.parse(body) as string;

    expect(() => verifyWebhook({ headers, body: parsed, secrets: [secret] })).toThrow(
      'body must be the raw body',
    );
  });
});

describe('wrong options', () => {
  const input = { ...signWebhook({ body, secrets: [secret] }), secrets: [secret] };

  it.each([
    ['no secrets', { secrets: [] }, 'secrets'],
    ['undefined, as from a missing variable', { secrets: [undefined] }, 'secrets[0]'],
    ['secrets that are one text', { secrets: secret }, 'secrets'],
    ['a whsec that is no base64', { secrets: [secret, 'whsec_not base64!'] }, 'secrets[1]'],
    ['a whsec that is too short', { secrets: ['whsec_c2hvcnQ='] }, 'secrets[0]'],
    ['a short text', { secrets: ['short'] }, 'secrets[0]'],
    ['a whpk that is too short', { secrets: ['whpk_c2hvcnQ='] }, 'secrets[0]'],
    ['a private key', { secrets: [ed25519().whsk] }, 'secrets[0]'],
    ['an empty secret of GitHub', { scheme: 'github', secrets: [''] }, 'secrets[0]'],
    [
      'a line break after a secret of Stripe',
      { scheme: 'stripe', secrets: ['whsec_1\n'] },
      'secrets[0]',
    ],
    ['a scheme of that name', { scheme: 'toString' }, 'scheme'],
    ['a digest of that name', { scheme: 'thorn', digest: 'md5' }, 'digest'],
    ['a digest where there is none', { digest: 'sha1' }, 'digest'],
    ['no tolerance', { tolerance: 0 }, 'tolerance'],
    ['a tolerance of not a number', { tolerance: Number.NaN }, 'tolerance'],
  ])('are refused: %s', (_, options, field) => {
    let error: unknown;
    try {
      verifyWebhook({ ...input, ...options } as VerifyWebhookInput);
    } catch (thrown) {
      error = thrown;
    }

    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error).toMatchObject({ field });
    const [given] = 'secrets' in options ? options.secrets : [];
    if (given && given.length > 6) expect(inspect(error, { depth: 9 })).not.toContain(given);
  });
});

describe('ids and events', () => {
  it.each([
    ['standard', { type: 'a', event: 'b' }, {}, 'msg_1', 'a'],
    ['standard', { event: 'b' }, { 'hook-event': 'forged' }, 'msg_1', 'b'],
    ['standard', { data: 1 }, { 'hook-event': 'forged' }, 'msg_1', null],
    ['standard', ['list'], {}, 'msg_1', null],
    ['thorn', { event: 'b' }, { 'hook-event': 'forged' }, 'msg_1', 'b'],
    ['thorn', { data: 1 }, { 'hook-event': 'c' }, 'msg_1', 'c'],
    ['stripe', { id: 'evt_1', type: 'charge.paid' }, {}, 'evt_1', 'charge.paid'],
    ['stripe', { type: 'charge.paid' }, {}, null, 'charge.paid'],
    ['github', { action: 'opened' }, { 'x-github-event': 'issues' }, 'msg_1', 'issues'],
  ] as const)('%s names %j with %j: %s %s', (scheme, payload, extra, id, event) => {
    const signed = signWebhook({ body: payload, secrets: [secret], scheme, id: 'msg_1' });
    const headers = { ...signed.headers, ...extra };

    expect(verifyWebhook({ ...signed, headers, secrets: [secret], scheme })).toMatchObject({
      id,
      event,
      payload,
    });
  });
});

describe('bodies', () => {
  const received = (contentType: string, content: string | Buffer, scheme?: 'github') => {
    const options = { secrets: [secret], ...(scheme && { scheme }) };
    const signed = signWebhook({ body: content, contentType, ...options });
    return { ...signed, ...options };
  };

  it.each([
    ['application/json; charset=utf-8', '{"a":[1]}', { a: [1] }],
    ['application/cloudevents+json', '{"a":[1]}', { a: [1] }],
    ['text/plain', '{"a":[1]}', '{"a":[1]}'],
    ['text/plain', '', ''],
    ['application/octet-stream', '{}', Buffer.from('{}')],
    ['', '{"a":[1]}', { a: [1] }],
    ['', 'no JSON', Buffer.from('no JSON')],
  ])('are decoded by the type %s', (type, content, payload) => {
    expect(verifyWebhook(received(type, content)).payload).toEqual(payload);
  });

  it.each([
    ['application/json', '{"a":'],
    ['application/json', ''],
    ['application/json', Buffer.from([0x22, 0xff, 0x22])],
    ['application/x-www-form-urlencoded', 'a=1&a[b]=2'],
    ['application/x-www-form-urlencoded', 'a[__proto__][b]=2'],
    ['application/x-www-form-urlencoded', `a${'[b]'.repeat(40)}=2`],
  ])('are refused when they do not fit the type %s: %j', (type, content) => {
    expectRefusal(received(type, content), 'unreadable-body');
  });

  it('are read from the payload of a form of GitHub', () => {
    const form = new URLSearchParams({ payload: '{"action":"opened"}' }).toString();

    expect(
      verifyWebhook(received('application/x-www-form-urlencoded', form, 'github')).payload,
    ).toEqual({ action: 'opened' });
  });
});

function expectRefusal(input: VerifyWebhookInput, reason: string): void {
  const error = refusalOf(input);
  expect(error).toBeInstanceOf(WebhookRejectedError);
  expect(error).toMatchObject({ reason, code: 'THORN_WEBHOOK_REJECTED' });
}

function refusalOf(input: VerifyWebhookInput): unknown {
  try {
    verifyWebhook(input);
  } catch (error) {
    return error;
  }
  return undefined;
}

/** A pair made by Node, and the texts that Standard Webhooks writes it as. */
function ed25519(): { privateKey: KeyObject; publicKey: KeyObject; whsk: string; whpk: string } {
  const pair = generateKeyPairSync('ed25519');
  const { d, x } = pair.privateKey.export({ format: 'jwk' });
  const [seed, point] = [Buffer.from(d!, 'base64url'), Buffer.from(x!, 'base64url')];
  return {
    ...pair,
    whsk: `whsk_${Buffer.concat([seed, point]).toString('base64')}`,
    whpk: `whpk_${point.toString('base64')}`,
  };
}

describe('a Hook-HMAC', () => {
  it.each(['sha1', 'sha256', 'sha512'] as const)('verifies %s over the body alone', (digest) => {
    const headers = { 'hook-hmac': createHmac(digest, secret).update(body).digest('base64') };

    verifyWebhook({ scheme: 'thorn', digest, headers, body, secrets: [secret] });
    const other = digest === 'sha1' ? 'sha256' : 'sha1';
    expectRefusal(
      { scheme: 'thorn', digest: other, headers, body, secrets: [secret] },
      'wrong-signature',
    );
  });
});
