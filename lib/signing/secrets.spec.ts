import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../errors/index.js';
import { generateSigningKeyPair } from './ed25519-key.js';
import { checkSecret, generateSecret, isSameSecret } from './secrets.js';

const { privateKey, publicKey } = generateSigningKeyPair();
const base64 = (bytes: number, fill = 7) => Buffer.alloc(bytes, fill).toString('base64');

describe('generateSecret', () => {
  it('generates whsec_ and the base64 of 32 bytes, never the same twice', () => {
    const secrets = Array.from({ length: 1000 }, generateSecret);

    for (const secret of secrets) {
      expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      expect(Buffer.from(secret.slice(6), 'base64')).toHaveLength(32);
      checkSecret(secret);
    }
    expect(new Set(secrets).size).toBe(1000);
  });
});

describe('checkSecret', () => {
  it.each([
    ['24 bytes', `whsec_${base64(24)}`],
    ['64 bytes', `whsec_${base64(64)}`],
    ['32 bytes without their padding', `whsec_${base64(32).replace('=', '')}`],
    ['64 bytes without their padding', `whsec_${base64(64).replace('==', '')}`],
    ['16 characters', 'a'.repeat(16)],
    ['512 characters', 'a'.repeat(512)],
    ['16 characters beyond the basic plane', '🔑'.repeat(16)],
    ['a sentence', 'correct horse battery staple'],
    ['an ed25519 key', privateKey],
  ])('accepts %s', (_, secret) => {
    expect(() => checkSecret(secret)).not.toThrow();
  });

  it.each([
    ['nothing', undefined],
    ['a number', 1234567890123456],
    ['an empty text', ''],
    ['15 characters', 'a'.repeat(15)],
    ['15 characters that count twice', '🔑'.repeat(15)],
    ['513 characters', 'a'.repeat(513)],
    ['a very long text', 'a'.repeat(1_000_000)],
    ['a line break', `${'a'.repeat(16)}\n`],
    ['a null character', `\0${'a'.repeat(16)}`],
    ['an invisible character', `${'a'.repeat(16)}\u200b`],
    ['half a surrogate pair', `${'a'.repeat(16)}\ud800`],
    ['whsec_ of 23 bytes', `whsec_${base64(23)}`],
    ['whsec_ of 65 bytes', `whsec_${base64(65)}`],
    ['whsec_ alone', 'whsec_'],
    ['whsec_ with half of its padding', `whsec_${base64(64).slice(0, -1)}`],
    ['whsec_ of the URL alphabet', `whsec_${base64(24, 0xfb).replaceAll('+', '-')}`],
    ['whsec_ with loose bits', `whsec_${base64(32).slice(0, -2)}9=`],
    ['whsec_ with a blank', `whsec_ ${base64(24)}`],
    ['whsec_ after a blank', ` whsec_${base64(24)}`],
    ['whsec_ before a blank', `whsec_${base64(24)} `],
    ['whsec_ in quotes', `"whsec_${base64(24)}"`],
    ['whsec_ in capitals', `WHSEC_${base64(24)}`],
    ['whsec_ after a version', `v1,whsec_${base64(24)}`],
    ['a public key in quotes', `'${publicKey}'`],
    ['a text before a blank', `${'a'.repeat(16)} `],
    ['a public key', publicKey],
    ['half an ed25519 key', privateKey.slice(0, 49)],
    ['an ed25519 key whose halves differ', privateKey.slice(0, 60) + base64(32).slice(0, 33)],
    ['whsec_ of no base64', 'whsec_this is not base64 at all, is it?'],
  ])('refuses %s without showing it', (_, secret) => {
    let refusal: unknown;
    try {
      checkSecret(secret);
    } catch (error) {
      refusal = error;
    }

    expect(refusal).toBeInstanceOf(InvalidInputError);
    expect(refusal).toMatchObject({ field: 'secret' });
    if (typeof secret === 'string' && secret.length > 6) {
      expect(inspect(refusal, { depth: 9 })).not.toContain(secret);
    }
  });

  it('says that a missing variable is undefined', () => {
    expect(() => checkSecret(undefined)).toThrow(
      'secret is undefined; check that the environment variable that holds it is set',
    );
  });

  it('accepts any text or refuses it by an InvalidInputError', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        try {
          checkSecret(text);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidInputError);
        }
      }),
    );
  });
});

describe('isSameSecret', () => {
  it('distinguishes equal texts from others, of any length', () => {
    expect(isSameSecret('whsec_Grüße', 'whsec_Grüße')).toBe(true);
    for (const other of ['', 'whsec_Grüß', 'whsec_Grüßf', 'whsec_Grüße ']) {
      expect(isSameSecret('whsec_Grüße', other)).toBe(false);
    }
  });
});
