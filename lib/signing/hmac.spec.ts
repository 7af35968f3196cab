import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Digest } from '../message/recipient.js';
import { HmacKey } from './hmac.js';

const digests = fc.constantFrom<Digest>('sha1', 'sha256', 'sha512');
const prefixes = fc.string({
  unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)),
});
const bytes = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));

it('agrees with createHmac for every digest, key, prefix and body, however often it is used', () => {
  fc.assert(
    fc.property(
      digests,
      bytes(300),
      fc.array(fc.tuple(prefixes, bytes(600)), { minLength: 1, maxLength: 4 }),
      (digest, key, messages) => {
        const hmac = new HmacKey(digest, key);
        for (const [prefix, body] of messages) {
          expect(hmac.sign(prefix, body)).toBe(
            createHmac(digest, key).update(prefix).update(body).digest('base64'),
          );
        }
      },
    ),
    { numRuns: 1000 },
  );
});

it('agrees with createHmac for keys, prefixes and bodies in any order', () => {
  const three = [0, 1, 2] as const;
  const turn = fc.tuple(
    fc.constantFrom(...three),
    fc.constantFrom(...three),
    fc.constantFrom(...three),
  );
  fc.assert(
    fc.property(
      fc.tuple(...three.map(() => fc.tuple(digests, bytes(80)))),
      fc.tuple(...three.map(() => prefixes)),
      fc.tuple(...three.map(() => bytes(300))),
      fc.array(turn, { maxLength: 30 }),
      (keys, itsPrefixes, bodies, turns) => {
        const hmacs = keys.map(([digest, key]) => new HmacKey(digest, key));
        for (const [which, prefix, body] of turns) {
          const [digest, key] = keys[which]!;
          expect(hmacs[which]!.sign(itsPrefixes[prefix]!, bodies[body]!)).toBe(
            createHmac(digest, key)
              .update(itsPrefixes[prefix]!)
              .update(bodies[body]!)
              .digest('base64'),
          );
        }
      },
    ),
    { numRuns: 1000 },
  );
});

it('signs a body as it is at that moment', () => {
  const [key, body] = [new HmacKey('sha256', Buffer.alloc(32, 1)), Buffer.from('first')];
  const first = key.sign('', body);
  body.write('other');
  expect(key.sign('', body)).not.toBe(first);
  expect(key.sign('', body)).toBe(key.sign('', Buffer.from('other')));
});

it.each([16_000, 16_384 - 64, 16_384 - 63, 20_000, 1_000_000])(
  'agrees for a body of %i bytes',
  (length) => {
    const body = Buffer.alloc(length, 'long ');

    expect(new HmacKey('sha256', Buffer.from('key')).sign('id.1.', body)).toBe(
      createHmac('sha256', 'key').update('id.1.').update(body).digest('base64'),
    );
  },
);
