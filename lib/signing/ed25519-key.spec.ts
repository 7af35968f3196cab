import { createHash, createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { publicKeyOf } from '../../test/support/public-key.js';
import { Ed25519Key, generateSigningKeyPair } from './ed25519-key.js';

const body = Buffer.from('{"title":"Grüße"}');

// RFC 8032, section 7.1, test 2: the signature of the one byte 0x72.
const SEED = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
const PUBLIC = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c';
const SIGNATURE =
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';

describe('Ed25519Key', () => {
  it('signs as the published vector of RFC 8032', () => {
    const key = Ed25519Key.parse(`whsk_${base64(SEED + PUBLIC)}`)!;

    expect(key.sign('', Buffer.from([0x72]))).toBe(base64(SIGNATURE));
    expect(key.publicKey).toBe(`whpk_${base64(PUBLIC)}`);
  });

  it('has the key identifier of RFC 8037, appendix A.3', () => {
    const key = Ed25519Key.parse(
      `whsk_${Buffer.concat([
        Buffer.from('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', 'base64url'),
        Buffer.from('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', 'base64url'),
      ]).toString('base64')}`,
    )!;

    expect(key.jwk).toEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
      kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
      use: 'sig',
      alg: 'EdDSA',
    });
  });

  it('is verified by Node with the public text and with the JWK', () => {
    const { privateKey, publicKey } = generateSigningKeyPair();
    const key = Ed25519Key.parse(privateKey)!;
    const signature = Buffer.from(key.sign('msg_1.17.', body), 'base64');
    const content = Buffer.concat([Buffer.from('msg_1.17.'), body]);

    expect(key.publicKey).toBe(publicKey);
    for (const judge of [
      publicKeyOf(publicKey),
      createPublicKey({ key: { ...key.jwk }, format: 'jwk' }),
    ]) {
      expect(verify(null, content, judge, signature)).toBe(true);
      expect(verify(null, body, judge, signature)).toBe(false);
    }
  });

  it('never generates the same pair twice', () => {
    const pairs = Array.from({ length: 50 }, generateSigningKeyPair);

    expect(new Set(pairs.map(({ privateKey }) => privateKey)).size).toBe(50);
    for (const { privateKey, publicKey } of pairs) {
      expect(Buffer.from(privateKey.slice(5), 'base64')).toHaveLength(64);
      expect(Buffer.from(publicKey.slice(5), 'base64')).toHaveLength(32);
    }
  });

  const { privateKey, publicKey } = generateSigningKeyPair();
  const half = Buffer.from(privateKey.slice(5), 'base64').subarray(0, 32);
  it.each([
    ['a public key', publicKey],
    ['the seed alone', `whsk_${half.toString('base64')}`],
    ['the seed of one and the public key of another', swapped(half)],
    [
      'loose bits at the end',
      `${privateKey.slice(0, -3)}${privateKey.at(-3) === 'A' ? 'B' : 'A'}==`,
    ],
    ['no prefix', privateKey.slice(5)],
    ['blanks', `whsk_ ${privateKey.slice(5)}`],
    ['the URL alphabet', `whsk_${Buffer.alloc(64, 0xfb).toString('base64url')}`],
    ['nothing', 'whsk_'],
  ])('refuses %s', (_, text) => {
    expect(Ed25519Key.parse(text)).toBeNull();
  });
});

function swapped(seed: Buffer): string {
  const other = createHash('sha256').update(seed).digest();
  return `whsk_${Buffer.concat([seed, other]).toString('base64')}`;
}

function base64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}
