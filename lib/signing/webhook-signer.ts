import type { Recipient } from '../message/recipient.js';

/** What one attempt is signed over. */
export interface SigningInput {
  /** The message's id, the same on every attempt. */
  readonly id: string;
  /** The event's name. */
  readonly event: string;
  /** When this attempt is made, in milliseconds since the Unix epoch; secrets that have expired by then do not sign. */
  readonly time: number;
  /** The exact bytes that are sent. */
  readonly body: Buffer;
  readonly recipient: Recipient;
}

/**
 * Makes the headers that let a receiver verify a webhook.
 *
 * Pluggable: this class is the injection token; the default is `StandardWebhookSigner`. Give another with
 * `ThornModule.forRoot({ signer: MySigner })`.
 * Any implementation must pass `webhookSignerConformance`.
 */
export abstract class WebhookSigner {
  /** @returns headers to add to the request; they replace nothing but each other */
  abstract sign(input: SigningInput): Record<string, string> | Promise<Record<string, string>>;
}
