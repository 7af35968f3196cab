import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  equalsInConstantTime,
  GithubScheme,
  headerOf,
  type SignedRequest,
  StandardScheme,
  StripeScheme,
  textOf,
  ThornScheme,
  timestampOf,
  WebhookScheme,
} from '../../lib/receiver/index.js';
import { generateSecret, generateSigningKeyPair } from '../../lib/signing/index.js';
import { signWebhook } from '../../lib/testing/index.js';
import { webhookSchemeConformance } from './webhook-scheme.js';

const runner = { describe, it, expect };
const texts = ['a secret of the sender', 'another secret of the sender'] as const;

for (const [scheme, makeScheme, secrets] of [
  ['standard', () => new StandardScheme(), [generateSecret(), generateSecret()]],
  ['thorn', () => new ThornScheme(), texts],
  ['stripe', () => new StripeScheme(), texts],
  ['github', () => new GithubScheme(), texts],
] as const) {
  webhookSchemeConformance(
    {
      name: scheme,
      makeScheme,
      secrets,
      sign: (body, secret, time) =>
        signWebhook({ scheme, body, secrets: [secret], time, id: 'msg_1' }).headers,
    },
    runner,
  );
}

const pairs = [generateSigningKeyPair(), generateSigningKeyPair()] as const;
webhookSchemeConformance(
  {
    name: 'standard, by ed25519',
    makeScheme: () => new StandardScheme(),
    secrets: [pairs[0].publicKey, pairs[1].publicKey],
    sign: (body, secret, time) => {
      const { privateKey } = pairs.find(({ publicKey }) => publicKey === secret)!;
      return signWebhook({ body, secrets: [privateKey], time, id: 'msg_1' }).headers;
    },
  },
  runner,
);

/** As an application writes one. */
class AcmeScheme extends WebhookScheme<string> {
  override key(secret: string): string {
    return secret;
  }

  override read(request: SignedRequest) {
    return {
      timestamp: timestampOf('x-acme-time', headerOf(request, 'x-acme-time')),
      signatures: [headerOf(request, 'x-acme-signature')],
    };
  }

  override isSigned(
    { headers, body }: SignedRequest,
    { signatures }: { readonly signatures: readonly string[] },
    key: string,
  ): boolean {
    return equalsInConstantTime(signatures[0]!, acme(key, `${headers['x-acme-time']}`, body));
  }

  override identify(_request: SignedRequest, payload: unknown) {
    return { id: textOf(payload, 'uuid'), event: textOf(payload, 'kind') };
  }
}

function acme(key: string, time: string, body: Buffer): string {
  return createHmac('sha512', key).update(`${time}\n`).update(body).digest('hex');
}

webhookSchemeConformance(
  {
    name: 'of one’s own',
    makeScheme: () => new AcmeScheme(),
    secrets: texts,
    sign: (body, secret, time) => {
      const seconds = String(time / 1000);
      return { 'x-acme-time': seconds, 'x-acme-signature': acme(secret, seconds, body) };
    },
  },
  runner,
);
