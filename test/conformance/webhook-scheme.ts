import { InvalidInputError } from '../../lib/errors/index.js';
import {
  type VerifiedWebhook,
  verifyWebhook,
  WebhookRejectedError,
  type WebhookScheme,
} from '../../lib/receiver/index.js';
import type { TestRunner } from '../../lib/testing/index.js';

/** The implementation under test. */
export interface WebhookSchemeUnderTest {
  /** Name of the implementation in the report. */
  readonly name: string;
  /** Creates an instance, as another process would. */
  makeScheme(): WebhookScheme;
  /** Two different secrets that the scheme accepts. */
  readonly secrets: readonly [string, string];
  /**
   * The headers by which the sender signs these bytes at this time, in milliseconds since the Unix epoch. Not the
   * scheme's own code.
   */
  sign(body: Buffer, secret: string, time: number): Readonly<Record<string, string>>;
}

const TIME = 1_700_000_000_000;
const TOLERANCE = 60_000;
const BODY = Buffer.from('{"title":"Grüße, 🎉"}');
const GARBAGE = ['', ' ', ',', '=', '.', ';;', 'x', '-1', '1e9', '\u00ff', 'v1,'.repeat(2000)];

/** Defines the tests that every {@link WebhookScheme} must pass. */
export function webhookSchemeConformance(
  { name, makeScheme, secrets: [first, second], sign }: WebhookSchemeUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  const verify = (
    headers: Readonly<Record<string, string>>,
    { body = BODY, secrets = [first], now = TIME, scheme = makeScheme() } = {},
  ): VerifiedWebhook =>
    verifyWebhook({
      // Whatever the bytes are: how they are read is another matter.
      headers: { ...headers, 'content-type': 'application/octet-stream' },
      body,
      scheme,
      secrets,
      now,
      tolerance: TOLERANCE,
    });
  const verdict = (...given: Parameters<typeof verify>): string => {
    try {
      verify(...given);
      return 'verified';
    } catch (error) {
      if (error instanceof WebhookRejectedError) return error.reason;
      throw new Error('A scheme may reject by a WebhookRejectedError alone', { cause: error });
    }
  };

  describe(`${name}: every webhook scheme`, () => {
    it('accepts what the sender has signed, for any bytes, and no other signature', async () => {
      const scheme = makeScheme();
      for (const text of ['', '{}', '\u0000\n\r', 'x'.repeat(100_000), '\u00ff']) {
        const body = Buffer.from(text, 'latin1');
        const headers = sign(body, first, TIME);
        expect(verify(headers, { body, scheme }).rawBody.equals(body)).toBe(true);
        expect(verdict(headers, { body, scheme, secrets: [second] })).toBe('wrong-signature');
      }
    });

    it('accepts any of several secrets, so that a rotation overlaps', async () => {
      for (const secret of [first, second]) {
        const headers = sign(BODY, secret, TIME);
        expect(verdict(headers, { secrets: [first, second] })).toBe('verified');
        expect(verdict(headers, { secrets: [second, first] })).toBe('verified');
      }
    });

    it('covers every bit of the body', async () => {
      const headers = sign(BODY, first, TIME);
      for (let bit = 0; bit < BODY.length * 8; bit++) {
        const body = Buffer.from(BODY);
        body[bit >> 3]! ^= 1 << (bit & 7);
        expect(verdict(headers, { body })).toBe('wrong-signature');
      }
      expect(verdict(headers, { body: Buffer.concat([BODY, Buffer.from(' ')]) })).not.toBe(
        'verified',
      );
    });

    it('compares the signed time, if any, with the tolerance', async () => {
      const headers = sign(BODY, first, TIME);
      const { timestamp } = verify(headers);
      expect(timestamp === null || Math.abs(timestamp - TIME) < 1000).toBe(true);
      const [late, early] = [TIME + 2 * TOLERANCE, TIME - 2 * TOLERANCE];
      expect(verdict(headers, { now: late })).toBe(timestamp === null ? 'verified' : 'too-old');
      expect(verdict(headers, { now: early })).toBe(timestamp === null ? 'verified' : 'too-new');
    });

    it('rejects requests without a signature, or with a senseless one', async () => {
      const headers = sign(BODY, first, TIME);
      expect(verdict({})).toBe('missing-header');
      const nonsense = (text: string) => Object.keys(headers).map((header) => [header, text]);
      for (const text of GARBAGE) {
        expect(verdict(Object.fromEntries(nonsense(text)))).not.toBe('verified');
      }
    });

    it('rejects by no other error, whatever is wrong with a header', async () => {
      const headers = sign(BODY, first, TIME);
      for (const [header, value] of Object.entries(headers)) {
        const others = [...GARBAGE, `${value}x`, `${value}, ${value}`, value.slice(1)];
        for (const other of others) verdict({ ...headers, [header]: other });
        const { [header]: _, ...rest } = headers;
        verdict(rest);
      }
    });

    it('has no secret and no signature in its errors', async () => {
      const headers = sign(BODY, first, TIME);
      const refused = errorOf(() => verify(headers, { secrets: [second] }));
      const malformed = errorOf(() => verify(headers, { secrets: [''] }));
      expect(refused instanceof WebhookRejectedError).toBe(true);
      expect(malformed instanceof InvalidInputError).toBe(true);
      const shown = `${String(refused)} ${JSON.stringify(refused)} ${String(malformed)}`;
      expect(shown).not.toContain(second);
      for (const value of Object.values(headers).filter(({ length }) => length > 30)) {
        expect(shown).not.toContain(value);
      }
    });
  });
}

function errorOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
