import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../errors/index.js';
import {
  MAX_LIVE_SECRETS,
  MAX_OVERLAP,
  parseOverlap,
  rotated,
  withoutExpired,
} from './secret-rotation.js';

const NOW = 1_700_000_000_000;
const DAY = 86_400_000;

describe('overlapOf', () => {
  it.each<[unknown, number]>([
    [undefined, DAY],
    ['24h', DAY],
    ['90m', 5_400_000],
    ['7d', 7 * DAY],
    ['30s', 30_000],
    ['5ms', 5],
    ['0h', 0],
    [0, 0],
    [1500, 1500],
    ['90d', MAX_OVERLAP],
  ])('reads %j as %j ms', (given, milliseconds) => {
    expect(parseOverlap(given)).toBe(milliseconds);
  });

  it.each([
    -1,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    MAX_OVERLAP + 1,
    '91d',
    '24',
    '24 h',
    '1.5h',
    '-1h',
    '24hours',
    '999999999999d',
    '',
    null,
    {},
    [1],
    10n,
  ])('refuses %s', (given) => {
    expect(() => parseOverlap(given)).toThrow(InvalidInputError);
    expect(() => parseOverlap(given)).toThrow(/^overlap must be/);
  });
});

describe('rotated', () => {
  it('puts the new one first and lets the others expire after the overlap at the latest', () => {
    const before = [live('b'), { value: 'a', expiresAt: NOW + 10 }];

    expect(rotated(before, 'c', DAY, NOW)).toEqual([
      live('c'),
      { value: 'b', expiresAt: NOW + DAY },
      { value: 'a', expiresAt: NOW + 10 },
    ]);
  });

  it('removes what has expired, and everything with an overlap of 0', () => {
    const before = [live('b'), { value: 'a', expiresAt: NOW }];

    expect(rotated(before, 'c', 1, NOW)).toHaveLength(2);
    expect(rotated(before, 'c', 0, NOW)).toEqual([live('c')]);
  });

  it('refuses a secret that signs already, and takes one that no longer does', () => {
    const before = [live('b'), { value: 'a', expiresAt: NOW + 1 }];

    for (const value of ['a', 'b']) {
      expect(() => rotated(before, value, DAY, NOW)).toThrow(/^secret must be a new one/);
    }
    expect(rotated(before, 'a', DAY, NOW + 1).map(({ value }) => value)).toEqual(['a', 'b']);
  });

  it('refuses a sixth live one and says when there is room again', () => {
    let secrets = [live('0')] as ReturnType<typeof rotated>;
    for (let at = 1; at < MAX_LIVE_SECRETS; at++) {
      secrets = rotated(secrets, `${at}`, DAY, NOW + at);
    }
    expect(secrets).toHaveLength(5);

    const one = () => rotated(secrets, 'x', DAY, NOW + 10);
    expect(one).toThrow(InvalidInputError);
    expect(one).toThrow(new Date(NOW + 1 + DAY).toISOString());
    expect(rotated(secrets, 'x', 0, NOW + 10)).toEqual([live('x')]);
    expect(rotated(secrets, 'x', DAY, NOW + 1 + DAY)).toHaveLength(5);
  });

  it('never ends a secret early, whatever rotations came before', () => {
    const step = fc.record({ wait: fc.nat(5000), overlap: fc.nat(5000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let now = NOW;
        let secrets: ReturnType<typeof rotated> = [live('first')];
        for (const [at, { wait, overlap }] of steps.entries()) {
          now += wait;
          const before = secrets;
          try {
            secrets = rotated(before, `${at}`, overlap, now);
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidInputError);
            continue;
          }
          expect(secrets[0]).toEqual(live(`${at}`));
          expect(secrets.length).toBeLessThanOrEqual(MAX_LIVE_SECRETS);
          for (const { value, expiresAt } of withoutExpired(before, now)) {
            const end = Math.min(expiresAt ?? Infinity, now + overlap);
            const kept = secrets.find((secret) => secret.value === value);
            expect(kept?.expiresAt ?? now).toBe(end);
          }
        }
      }),
    );
  });
});

function live(value: string) {
  return { value, expiresAt: null };
}
