import type { IncomingHttpHeaders } from 'node:http';
import { isStandardSigned, isThornSigned } from './signature-check.js';

/** A webhook as it arrived at a {@link ScriptedReceiver}. */
export class ReceivedWebhook {
  constructor(
    readonly method: string,
    /** Path and query. */
    readonly path: string,
    /** Names in lower case. */
    readonly headers: IncomingHttpHeaders,
    /** The exact bytes. */
    readonly body: Buffer,
  ) {}

  /** `webhook-id`: the message, the same on every attempt. */
  get id(): string {
    return this.#header('webhook-id');
  }

  /** `Hook-Event`: the event's name. */
  get event(): string {
    return this.#header('hook-event');
  }

  /** `Hook-Delivery`: the delivery, the same on every attempt. */
  get deliveryId(): string {
    return this.#header('hook-delivery');
  }

  /** The body as JSON. */
  get json(): unknown {
    return JSON.parse(this.body.toString());
  }

  /**
   * Tells whether the signature over these exact bytes was made with the secret; compares in constant time. The age of
   * the timestamp does not matter: the application's clock may be a {@link MovableClock}.
   *
   * @param scheme `standard`: one of the signatures in `webhook-signature`, to which every live secret adds one. `thorn`:
   * `Hook-HMAC`, made with the newest secret alone. Default `standard`.
   */
  isSignedWith(secret: string, scheme: 'standard' | 'thorn' = 'standard'): boolean {
    const isSigned = scheme === 'standard' ? isStandardSigned : isThornSigned;
    return isSigned(this.headers, this.body, secret);
  }

  #header(name: string): string {
    return String(this.headers[name] ?? '');
  }
}
