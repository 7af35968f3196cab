import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ThornConfigurationError } from '../errors/index.js';
import { ApplicationKeys, generateSigningKeyPair, type SigningOptions } from './index.js';

describe('ApplicationKeys', () => {
  it('publishes the public halves, newest first, and no private part', () => {
    const [newer, older] = [generateSigningKeyPair(), generateSigningKeyPair()];
    const { jwks } = new ApplicationKeys({ ed25519: [newer.privateKey, older.privateKey] });

    expect(
      jwks.keys.map(({ x }) => `whpk_${Buffer.from(x, 'base64url').toString('base64')}`),
    ).toEqual([newer.publicKey, older.publicKey]);
    for (const key of jwks.keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
    }
  });

  it.each([[{}], [undefined], [{ ed25519: [] }]])('has no keys with %j', (options) => {
    expect(new ApplicationKeys(options).jwks).toEqual({ keys: [] });
  });

  const { privateKey, publicKey } = generateSigningKeyPair();
  it.each<[string, unknown]>([
    ['a public key', publicKey],
    ['half a key', privateKey.slice(0, -20)],
    ['a symmetric secret', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['an empty text', ''],
    ['no text', 17],
    ['a variable that is not set', [undefined]],
    ['null', null],
    ['one of several', [privateKey, publicKey]],
    ['one key twice', [privateKey, privateKey]],
    ['six keys', Array.from({ length: 6 }, () => generateSigningKeyPair().privateKey)],
  ])('refuses %s without showing it', (_, ed25519) => {
    let refusal: unknown;
    try {
      refusal = new ApplicationKeys({ ed25519 } as SigningOptions);
    } catch (error) {
      refusal = error;
    }

    expect(refusal).toBeInstanceOf(ThornConfigurationError);
    expect(String(refusal)).toContain('signing.ed25519');
    expect(inspect(refusal, { depth: 9 })).not.toContain(privateKey.slice(5, 25));
  });

  it('says that a key is undefined', () => {
    const options = { ed25519: [undefined] as never[] };
    expect(() => new ApplicationKeys(options)).toThrow(
      '`signing.ed25519` has a key that is undefined; check that the environment variable that holds it is set.',
    );
  });
});
