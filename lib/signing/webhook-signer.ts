import type { Recipient } from '../message/recipient.js';

/** The parts of an attempt that a signature may cover. */
export interface SigningInput {
  /** The message's id, the same on every attempt. */
  readonly id: string;
  /** The event's name. */
  readonly event: string;
  /** Time of this attempt, in milliseconds since the Unix epoch; secrets that have expired by then do not sign. */
  readonly time: number;
  /** The exact bytes that are sent. */
  readonly body: Buffer;
  readonly recipient: Recipient;
}

/**
 * Creates the headers that let a receiver verify a webhook.
 *
 * Pluggable: this class is the injection token; the default is `StandardWebhookSigner`. Give another with
 * `ThornModule.forRoot({ signer: MySigner })`.
 * Any implementation must pass `webhookSignerConformance`.
 */
export abstract class WebhookSigner {
  /** @returns headers to add to the request; they cannot replace the library's own */
  abstract sign(input: SigningInput): Record<string, string> | Promise<Record<string, string>>;
}
