import type { Recipient } from '../../message/index.js';
import type { SigningInput, WebhookSigner } from '../../signing/index.js';
import type { TestRunner } from './test-runner.js';

/** The implementation under test. */
export interface WebhookSignerUnderTest {
  /** Name of the implementation in the report. */
  readonly name: string;
  /** Creates an instance, as another process would. */
  makeSigner(): WebhookSigner;
  /** Two different secrets that the signer accepts. */
  readonly secrets: readonly [string, string];
  /**
   * The receiver's side: verifies that the message with these bytes was signed with the secret.
   * Not the signer's own code.
   */
  verify(
    headers: Readonly<Record<string, string>>,
    message: Pick<SigningInput, 'id' | 'body'>,
    secret: string,
  ): boolean;
}

const TIME = 1_700_000_000_000;
// Set by the deliverer, or needed by the connection.
const RESERVED =
  /^(content-.*|host|connection|transfer-encoding|te|trailer|upgrade|expect|user-agent|hook-(event|delivery|subscription))$/i;

/** Defines the tests that every {@link WebhookSigner} must pass. */
export function webhookSignerConformance(
  { name, makeSigner, secrets: [first, second], verify }: WebhookSignerUnderTest,
  { describe, it, expect }: TestRunner,
): void {
  describe(`${name}: every signer`, () => {
    it('signs any bytes so that a receiver with the secret can verify them', async () => {
      const signer = makeSigner();
      for (const body of ['', '{}', '{"title":"Grüße, 🎉"}', '\u0000\n\r', 'x'.repeat(100_000)]) {
        const message = input({ body: Buffer.from(body) });
        const headers = await signer.sign(message);
        expect(verify(headers, message, first)).toBe(true);
        expect(verify(headers, message, second)).toBe(false);
      }
    });

    it('covers every bit of the body, and the id', async () => {
      const message = input({});
      const headers = await makeSigner().sign(message);
      for (let bit = 0; bit < message.body.length * 8; bit++) {
        const body = Buffer.from(message.body);
        body[bit >> 3]! ^= 1 << (bit & 7);
        expect(verify(headers, { id: message.id, body }, first)).toBe(false);
      }
      const [id, body] = ['msg_another', message.body];
      const other = await makeSigner().sign({ ...message, id });
      expect(verify(headers, { id, body }, first)).toBe(false);
      expect(verify(other, { id, body }, first)).toBe(true);
    });

    it('signs with every live secret, so that a rotation overlaps', async () => {
      const message = input({ recipient: recipient([second, null], [first, TIME + 1]) });
      const headers = await makeSigner().sign(message);
      expect(verify(headers, message, first)).toBe(true);
      expect(verify(headers, message, second)).toBe(true);
    });

    it('signs with no secret that has expired by the time of the attempt', async () => {
      const signer = makeSigner();
      const rotated = recipient([second, null], [first, TIME]);
      const before = input({ recipient: rotated, time: TIME - 1000 });
      const after = input({ recipient: rotated, time: TIME });
      expect(verify(await signer.sign(before), before, first)).toBe(true);
      expect(verify(await signer.sign(after), after, first)).toBe(false);
      expect(verify(await signer.sign(after), after, second)).toBe(true);
    });

    it('does not sign for a recipient without a live secret', async () => {
      const message = input({ recipient: recipient([first, TIME]) });
      const headers = await makeSigner().sign(message);
      expect(verify(headers, message, first)).toBe(false);
      const bare = input({ recipient: recipient() });
      expect(verify(await makeSigner().sign(bare), bare, first)).toBe(false);
    });

    it('returns headers that can be sent and that replace none of the library’s', async () => {
      const headers = await makeSigner().sign(input({}));
      const names = Object.keys(headers);
      expect(names.filter((header) => !/^[!#$%&'*+.^_`|~\w-]+$/.test(header))).toEqual([]);
      expect(names.filter((header) => RESERVED.test(header))).toEqual([]);
      const values = Object.values(headers);
      expect(
        values.filter((value) => !/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value)),
      ).toEqual([]);
    });

    it('shows no secret', async () => {
      const headers = JSON.stringify(await makeSigner().sign(input({})));
      expect(headers).not.toContain(first);
      expect(headers).not.toContain(first.slice(-16));
    });

    it('does not change its arguments', async () => {
      const message = input({ recipient: recipient([second, null], [first, TIME + 1]) });
      const before = structuredClone(message);
      await makeSigner().sign(message);
      expect(structuredClone(message)).toEqual(before);
    });

    it('keeps many concurrent signatures apart', async () => {
      const signer = makeSigner();
      const messages = Array.from({ length: 100 }, (_, index) =>
        input({
          id: `msg_${index}`,
          body: Buffer.from(`{"n":${index}}`),
          recipient: recipient([index % 2 === 0 ? first : second, null]),
        }),
      );
      const signed = await Promise.all(messages.map(async (message) => signer.sign(message)));
      for (const [index, message] of messages.entries()) {
        expect(verify(signed[index]!, message, index % 2 === 0 ? first : second)).toBe(true);
        expect(verify(signed[index]!, message, index % 2 === 0 ? second : first)).toBe(false);
      }
    });
  });

  function input(different: Partial<SigningInput>): SigningInput {
    return {
      id: 'msg_one',
      event: 'order.paid',
      time: TIME,
      body: Buffer.from('{"event":"order.paid"}'),
      recipient: recipient([first, null]),
      ...different,
    };
  }
}

function recipient(...secrets: readonly (readonly [string, number | null])[]): Recipient {
  return {
    id: 'sub_one',
    url: 'https://example.com/hooks',
    contentType: 'application/json',
    digest: 'sha256',
    secrets: secrets.map(([value, expiresAt]) => ({ value, expiresAt })),
  };
}
