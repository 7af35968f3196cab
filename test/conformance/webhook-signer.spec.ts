import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it, vi } from 'vitest';
import { generateSecret, StandardWebhookSigner } from '../../lib/signing/index.js';
import { webhookSignerConformance } from '../../lib/testing/index.js';

const runner = { describe, it, expect };

webhookSignerConformance(
  {
    name: 'StandardWebhookSigner, as Standard Webhooks verifies',
    makeSigner: () => new StandardWebhookSigner(),
    secrets: [generateSecret(), generateSecret()],
    verify: (headers, { id, body }, secret) => {
      // The reference implementation reads the machine's clock.
      vi.useFakeTimers({ now: Number(headers['webhook-timestamp']) * 1000, toFake: ['Date'] });
      try {
        // It parses the body as JSON when the signature is right.
        new Webhook(secret).verify(body, { ...headers, 'webhook-id': id });
        return true;
      } catch (error) {
        return error instanceof SyntaxError;
      } finally {
        vi.useRealTimers();
      }
    },
  },
  runner,
);

describe('StandardWebhookSigner, as Thorn verifies', () => {
  it('signs the body alone with the newest secret', () => {
    const secret = 'a secret in plain text';
    const body = Buffer.from('{"event":"order.paid"}');
    const headers = new StandardWebhookSigner(undefined, { hookHmac: true }).sign({
      id: 'msg_1',
      event: 'order.paid',
      time: 0,
      body,
      recipient: {
        id: 'sub_1',
        url: 'https://example.com/',
        contentType: 'application/json',
        digest: 'sha512',
        secrets: [{ value: secret, expiresAt: null }],
      },
    });

    expect(headers['Hook-HMAC']).toBe(createHmac('sha512', secret).update(body).digest('base64'));
  });
});
