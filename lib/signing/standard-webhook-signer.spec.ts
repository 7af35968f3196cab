import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { describe, expect, it } from 'vitest';
import type { Digest, Recipient } from '../message/recipient.js';
import { generateSecret } from './secrets.js';
import { StandardWebhookSigner } from './standard-webhook-signer.js';

const signer = new StandardWebhookSigner();
const body = Buffer.from('{"event":"article.published","data":{"title":"Grüße"}}');
const id = 'msg_01890a5d-ac96-774b-bcce-b302099a8057';

describe('StandardWebhookSigner', () => {
  it('agrees with the published vector of Standard Webhooks', () => {
    const headers = signer.sign({
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      event: 'test',
      time: 1614265330_000,
      body: Buffer.from('{"test": 2432232314}'),
      recipient: recipient({ secrets: [live('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')] }),
    });

    expect(headers).toMatchObject({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it.each([
    ['standardwebhooks', StandardWebhook],
    ['svix', SvixWebhook],
  ])('is verified by the package %s', (_, Webhook) => {
    const generated = generateSecret();
    const text = 'a text of sixteen characters or more';

    const headers = sign([live(generated), live(text)]);

    expect(new Webhook(generated).verify(body.toString(), headers)).toMatchObject({
      event: 'article.published',
    });
    expect(new Webhook(text, { format: 'raw' }).verify(body.toString(), headers)).toBeTruthy();
    expect(() => new Webhook(generateSecret()).verify(body.toString(), headers)).toThrow();
  });

  it('is verified no more after any one bit of body, id, timestamp or signature has flipped', () => {
    const secret = generateSecret();
    const headers = sign([live(secret)]);
    const verifier = new StandardWebhook(secret);
    const parts = {
      body,
      'webhook-id': Buffer.from(id),
      'webhook-timestamp': Buffer.from(headers['webhook-timestamp']!),
      'webhook-signature': Buffer.from(headers['webhook-signature']!),
    };
    const flips = Object.entries(parts).flatMap(([part, bytes]) =>
      Array.from({ length: bytes.length * 8 }, (_, bit) => ({ part, bit })),
    );

    fc.assert(
      fc.property(fc.constantFrom(...flips), ({ part, bit }) => {
        const bytes = Buffer.from(parts[part as keyof typeof parts]);
        bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
        const sentBody = part === 'body' ? bytes : body;
        const sentHeaders =
          part === 'body' ? headers : { ...headers, [part]: bytes.toString('latin1') };

        expect(() => verifier.verify(sentBody, sentHeaders, { jsonParse: false })).toThrow();
      }),
      { numRuns: 2000 },
    );
  });

  it.each<Digest>(['sha1', 'sha256', 'sha512'])(
    'adds the Hook-HMAC of the body alone with %s, keyed with the whole text of the newest live secret',
    (digest) => {
      const newest = generateSecret();

      const headers = sign(
        [expired(generateSecret()), live(newest), live(generateSecret())],
        digest,
      );

      expect(headers['Hook-HMAC']).toBe(
        createHmac(digest, Buffer.from(newest, 'utf8')).update(body).digest('base64'),
      );
    },
  );

  it('signs with every live secret, newest first, and with no expired one', () => {
    const [newest, older, gone] = [generateSecret(), generateSecret(), generateSecret()];

    const headers = sign([live(newest), { value: older, expiresAt: now + 1 }, expired(gone)]);
    const signatures = headers['webhook-signature']!.split(' ');

    expect(signatures).toEqual([
      sign([live(newest)])['webhook-signature'],
      sign([live(older)])['webhook-signature'],
    ]);
    expect(() => new StandardWebhook(gone).verify(body, headers)).toThrow();
  });

  it('adds no signature for a recipient without a live secret', () => {
    expect(Object.keys(sign([expired(generateSecret())]))).toEqual([
      'webhook-id',
      'webhook-timestamp',
    ]);
  });
});

const now = Date.now();

function sign(secrets: Recipient['secrets'], digest: Digest = 'sha256'): Record<string, string> {
  const input = { id, event: 'article.published', time: now, body };
  return signer.sign({ ...input, recipient: recipient({ secrets, digest }) });
}

function recipient(fields: Partial<Recipient>): Recipient {
  return {
    id: 'sub_1',
    url: 'https://example.com/',
    contentType: 'application/json',
    digest: 'sha256',
    secrets: [],
    ...fields,
  };
}

const live = (value: string) => ({ value, expiresAt: null });
const expired = (value: string) => ({ value, expiresAt: now });
