import { type HeadersSource, signedRequest } from '../schemes/signed-request.js';
import type { VerifiedWebhook } from './verified-webhook.js';
import { type VerifierOptions, WebhookVerifier } from './webhook-verifier.js';

/** A webhook, and the options for verifying it. */
export interface VerifyWebhookInput extends VerifierOptions {
  /** Names in any case. */
  readonly headers: HeadersSource;
  /** The body as it was received, never parsed and written again. */
  readonly body: string | Uint8Array;
  /** Current time in milliseconds since the Unix epoch. Default: the machine's time. */
  readonly now?: number;
}

/**
 * Verifies a webhook that does not come through a route: from a queue, a serverless function, a file.
 *
 * @throws {@link WebhookRejectedError} when the webhook cannot be verified, with the reason
 * @throws {@link InvalidInputError} when the options are wrong, or when the body is no longer raw
 *
 * @example
 * ```ts
 * const { event, payload } = verifyWebhook({ headers, body, secrets: [process.env.STORE_SECRET] });
 * ```
 */
export function verifyWebhook<Payload = unknown>(
  input: VerifyWebhookInput,
): VerifiedWebhook<Payload> {
  const { headers, body, now = Date.now(), ...options } = input;
  const webhook = new WebhookVerifier(options).verify(signedRequest(headers, body), now);
  return webhook as VerifiedWebhook<Payload>;
}
