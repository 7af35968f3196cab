import { createHmac, verify } from 'node:crypto';
import fc from 'fast-check';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { publicKeyOf } from '../../test/support/public-key.js';
import type { Digest, Recipient } from '../message/recipient.js';
import { ApplicationKeys } from './application-keys.js';
import { Ed25519Key, generateSigningKeyPair } from './ed25519-key.js';
import { generateSecret } from './secrets.js';
import { StandardWebhookSigner } from './standard-webhook-signer.js';

const signer = new StandardWebhookSigner();
const withHookHmac = new StandardWebhookSigner(undefined, { hookHmac: true });
const body: Buffer = Buffer.from('{"event":"article.published","data":{"title":"Grüße"}}');
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
  ])('makes signatures that the package %s verifies', (_, Webhook) => {
    const generated = generateSecret();
    const text = 'a text of sixteen characters or more';

    const headers = sign([live(generated), live(text)]);

    expect(new Webhook(generated).verify(body.toString(), headers)).toMatchObject({
      event: 'article.published',
    });
    expect(new Webhook(text, { format: 'raw' }).verify(body.toString(), headers)).toBeTruthy();
    expect(() => new Webhook(generateSecret()).verify(body.toString(), headers)).toThrow();
  });

  it('makes signatures that fail after one bit of body, id, timestamp or signature has flipped', () => {
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

      const secrets = [expired(generateSecret()), live(newest), live(generateSecret())];
      const headers = sign(secrets, digest, withHookHmac);

      expect(headers['Hook-HMAC']).toBe(
        createHmac(digest, Buffer.from(newest, 'utf8')).update(body).digest('base64'),
      );
    },
  );

  it('adds no Hook-HMAC by default', () => {
    expect(Object.keys(sign([live(generateSecret())]))).toEqual([
      'webhook-id',
      'webhook-timestamp',
      'webhook-signature',
    ]);
  });

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

describe('v1a signatures', () => {
  const application = generateSigningKeyPair();
  const keys = new ApplicationKeys({ ed25519: application.privateKey });
  const own = generateSigningKeyPair();

  afterEach(() => void vi.restoreAllMocks());

  it('share one header with v1, newest first and the application’s last', () => {
    const secret = generateSecret();

    const headers = signed(new StandardWebhookSigner(keys), [live(own.privateKey), live(secret)]);
    const signatures = headers['webhook-signature']!.split(' ');

    expect(signatures.map((signature) => signature.split(',')[0])).toEqual(['v1a', 'v1', 'v1a']);
    expect(isVerified(headers, signatures[0]!, own.publicKey)).toBe(true);
    expect(isVerified(headers, signatures[2]!, application.publicKey)).toBe(true);
    expect(isVerified(headers, signatures[0]!, application.publicKey)).toBe(false);
    for (const Webhook of [StandardWebhook, SvixWebhook]) {
      expect(new Webhook(secret).verify(body.toString(), headers)).toBeTruthy();
    }
  });

  it('come from the application’s keys for recipients without a secret as well', () => {
    const headers = signed(new StandardWebhookSigner(keys), []);

    expect(isVerified(headers, headers['webhook-signature']!, application.publicKey)).toBe(true);
    expect(signed(new StandardWebhookSigner(keys, { hookHmac: true }), [])).not.toHaveProperty(
      'Hook-HMAC',
    );
  });

  it('come from every application key while one replaces another', () => {
    const older = generateSigningKeyPair();
    const ed25519 = [application.privateKey, older.privateKey];

    const headers = signed(new StandardWebhookSigner(new ApplicationKeys({ ed25519 })), []);
    const [first, second] = headers['webhook-signature']!.split(' ');

    expect(isVerified(headers, first!, application.publicKey)).toBe(true);
    expect(isVerified(headers, second!, older.publicKey)).toBe(true);
  });

  it('leave the Hook-HMAC to the newest symmetric secret', () => {
    const secret = generateSecret();

    const headers = signed(withHookHmac, [live(own.privateKey), live(secret)]);
    expect(headers['Hook-HMAC']).toBe(createHmac('sha256', secret).update(body).digest('base64'));
    expect(signed(withHookHmac, [live(own.privateKey)])).not.toHaveProperty('Hook-HMAC');
  });

  it('are made once for all recipients in a second, and anew for the next second', () => {
    const made = vi.spyOn(Ed25519Key.prototype, 'sign');
    const oneForAll = new StandardWebhookSigner(keys);
    const toHundred = (time: number, bytes: Buffer) =>
      Array.from(
        { length: 100 },
        () => signed(oneForAll, [live(generateSecret())], time, bytes)['webhook-signature']!,
      );

    const second = 1_700_000_000_000;
    const first = toHundred(second, body);
    expect(made).toHaveBeenCalledTimes(1);
    expect(new Set(first.map((header) => header.split(' ')[1])).size).toBe(1);
    toHundred(second + 999, body);
    expect(made).toHaveBeenCalledTimes(1);
    toHundred(second + 1000, body);
    expect(made).toHaveBeenCalledTimes(2);
  });

  it('cover the bytes of each content type', () => {
    const form: Buffer = Buffer.from('event=article.published');
    const oneForAll = new StandardWebhookSigner(keys);

    for (const bytes of [body, form, body, form]) {
      const headers = signed(oneForAll, [], now, bytes);
      const signature = headers['webhook-signature']!;
      expect(isVerified(headers, signature, application.publicKey, bytes)).toBe(true);
    }
  });

  it('fail after one bit of content or signature has flipped', () => {
    const headers = signed(new StandardWebhookSigner(), [live(own.privateKey)]);
    const signature = Buffer.from(headers['webhook-signature']!.slice(4), 'base64');
    const parts: Record<'content' | 'signature', Buffer> = {
      content: contentOf(headers, body),
      signature,
    };
    const key = publicKeyOf(own.publicKey);

    expect(verify(null, parts.content, key, parts.signature)).toBe(true);
    fc.assert(
      fc.property(fc.constantFrom('content', 'signature'), fc.nat(), (part, at) => {
        const bytes = Buffer.from(parts[part]);
        const bit = at % (bytes.length * 8);
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        const { content, signature: sent } = { ...parts, [part]: bytes } as typeof parts;
        expect(verify(null, content, key, sent)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  function signed(
    by: StandardWebhookSigner,
    secrets: Recipient['secrets'],
    time = now,
    bytes = body,
  ): Record<string, string> {
    const input = { id, event: 'article.published', time, body: bytes };
    return by.sign({ ...input, recipient: recipient({ secrets }) });
  }

  function isVerified(
    headers: Record<string, string>,
    signature: string,
    publicKey: string,
    bytes = body,
  ): boolean {
    expect(signature).toMatch(/^v1a,[A-Za-z0-9+/]{86}==$/);
    const sent = Buffer.from(signature.slice(4), 'base64');
    return verify(null, contentOf(headers, bytes), publicKeyOf(publicKey), sent);
  }

  function contentOf(headers: Record<string, string>, bytes: Buffer): Buffer {
    return Buffer.concat([
      Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`),
      bytes,
    ]);
  }
});

const now = Date.now();

function sign(
  secrets: Recipient['secrets'],
  digest: Digest = 'sha256',
  by = signer,
): Record<string, string> {
  const input = { id, event: 'article.published', time: now, body };
  return by.sign({ ...input, recipient: recipient({ secrets, digest }) });
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
