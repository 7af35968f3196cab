import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { standardSignature } from './sign-webhook.js';

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
   * Tells whether the signature over these exact bytes was made with the secret. The age of the timestamp does not
   * matter: the application's clock may be a {@link MovableClock}.
   *
   * @param scheme `standard`: one of the signatures in `webhook-signature`, to which every live secret adds one. `thorn`:
   * `Hook-HMAC`, made with the newest secret alone. Default `standard`.
   */
  isSignedWith(secret: string, scheme: 'standard' | 'thorn' = 'standard'): boolean {
    if (scheme === 'standard') {
      const content = `${this.id}.${this.#header('webhook-timestamp')}.`;
      const signature = standardSignature(secret, Buffer.concat([Buffer.from(content), this.body]));
      return this.#header('webhook-signature').split(' ').includes(signature);
    }
    return ['sha1', 'sha256', 'sha512'].some(
      (digest) =>
        createHmac(digest, secret).update(this.body).digest('base64') === this.#header('hook-hmac'),
    );
  }

  #header(name: string): string {
    return String(this.headers[name] ?? '');
  }
}
