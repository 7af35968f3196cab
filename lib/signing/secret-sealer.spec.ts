import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ThornConfigurationError } from '../errors/index.js';
import { type EncryptionOptions, SecretSealer, SecretUnreadableError } from './index.js';

const SECRET = '[{"value":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","expiresAt":null}]';
const old = { id: 'old', key: randomBytes(32) };
const fresh = { id: '2026-11_b', key: randomBytes(32).toString('base64') };
const before = new SecretSealer({ keys: [old] });
const both = new SecretSealer({ keys: [fresh, old] });

describe('SecretSealer', () => {
  it('opens what it sealed, for any text and any row', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 600 });
    fc.assert(
      fc.property(text, text, (secret, rowId) => {
        expect(both.open(both.seal(secret, rowId), rowId)).toBe(secret);
      }),
    );
  });

  it('shows the id of the key, hides the text, and never gives the same result twice', () => {
    const sealed = both.seal(SECRET, 'sub_1');

    expect(sealed).toMatch(/^sealed\.v1\.2026-11_b\.[\w-]+$/);
    const bytes = Buffer.from(sealed.split('.')[3]!, 'base64url');
    expect(bytes).toHaveLength(12 + Buffer.byteLength(SECRET) + 16);
    expect(bytes.toString('latin1')).not.toContain('whsec');
    expect(both.seal(SECRET, 'sub_1')).not.toBe(sealed);
  });

  it('seals with the first key and opens with every one', () => {
    const sealed = before.seal(SECRET, 'sub_1');

    expect(both.open(sealed, 'sub_1')).toBe(SECRET);
    expect(both.isCurrent(sealed)).toBe(false);
    expect(both.isCurrent(both.seal(SECRET, 'sub_1'))).toBe(true);
    expect(both.isCurrent(SECRET)).toBe(false);
  });

  it('returns unsealed texts as they are, and seals nothing without keys', () => {
    const none = new SecretSealer();

    expect(both.open(SECRET, 'sub_1')).toBe(SECRET);
    expect(none.seal(SECRET, 'sub_1')).toBe(SECRET);
    expect([none.seals, both.seals]).toEqual([false, true]);
    expect(unreadable(none, both.seal(SECRET, 'sub_1'), 'sub_1').reason).toBe('unknown-key');
  });

  it('names the key that is missing', () => {
    const error = unreadable(before, both.seal(SECRET, 'sub_1'), 'sub_1');

    expect(error).toMatchObject({ reason: 'unknown-key', keyId: fresh.id, rowId: 'sub_1' });
    expect(error.message).toContain('sub_1');
    expect(error.message).toContain(fresh.id);
  });

  it('does not open for another row, or with other bytes under the key’s id', () => {
    const sealed = both.seal(SECRET, 'sub_1');
    const impostor = new SecretSealer({ keys: [{ id: fresh.id, key: randomBytes(32) }] });

    expect(unreadable(both, sealed, 'sub_2').reason).toBe('altered');
    expect(unreadable(impostor, sealed, 'sub_1').reason).toBe('altered');
    const renamed = sealed.replace(fresh.id, old.id);
    expect(unreadable(both, renamed, 'sub_1').reason).toBe('altered');
  });

  it('does not open after any one bit has flipped', () => {
    const sealed = both.seal(SECRET, 'sub_1');
    const start = sealed.lastIndexOf('.') + 1;
    const bytes = Buffer.from(sealed.slice(start), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const text = sealed.slice(0, start) + flipped.toString('base64url');
      expect(unreadable(both, text, 'sub_1').reason).toBe('altered');
    }
  });

  it.each([
    'sealed.v1.',
    'sealed.v1.old',
    'sealed.v1.old.',
    'sealed.v1.old.AAAA',
    'sealed.v1.a\nb.AAAA',
  ])('refuses %j', (text) => {
    expect(unreadable(both, text, 'sub_1').reason).toBe('altered');
  });

  it.each<[string, unknown]>([
    ['no keys', {}],
    ['null', null],
    ['an empty list', { keys: [] }],
    ['a key that is no object', { keys: [null] }],
    ['no id', { keys: [{ key: old.key }] }],
    ['an id with a dot', { keys: [{ id: 'a.b', key: old.key }] }],
    ['a long id', { keys: [{ id: 'a'.repeat(33), key: old.key }] }],
    ['one id twice', { keys: [old, { id: 'old', key: randomBytes(32) }] }],
    ['31 bytes', { keys: [{ id: 'a', key: randomBytes(31) }] }],
    ['33 bytes', { keys: [{ id: 'a', key: randomBytes(33) }] }],
    ['base64 of 24 bytes', { keys: [{ id: 'a', key: randomBytes(24).toString('base64') }] }],
    ['hexadecimal', { keys: [{ id: 'a', key: old.key.toString('hex') }] }],
    ['base64 with a line break', { keys: [{ id: 'a', key: `${fresh.key}\n` }] }],
    ['a passphrase', { keys: [{ id: 'a', key: 'correct horse battery staple' }] }],
  ])('refuses %s without showing a key', (_, options) => {
    let refusal: unknown;
    try {
      refusal = new SecretSealer(options as EncryptionOptions);
    } catch (error) {
      refusal = error;
    }

    expect(refusal).toBeInstanceOf(ThornConfigurationError);
    expect(String(refusal)).toContain('encryption.keys');
    const shown = inspect(refusal, { depth: 9 });
    for (const key of [fresh.key, old.key.toString('hex'), 'correct horse']) {
      expect(shown).not.toContain(key);
    }
  });
});

function unreadable(sealer: SecretSealer, text: string, rowId: string): SecretUnreadableError {
  try {
    sealer.open(text, rowId);
  } catch (error) {
    expect(error).toBeInstanceOf(SecretUnreadableError);
    expect(inspect(error, { depth: 9 })).not.toContain('whsec_');
    return error as SecretUnreadableError;
  }
  throw new Error('It was opened');
}
