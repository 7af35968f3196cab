import type { IncomingHttpHeaders } from 'node:http';
import { isStandardSigned, isThornSigned } from './signature-check.js';

/** One webhook as it arrived at a {@link ScriptedReceiver}. */
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
  get delivery(): string {
    return this.#header('hook-delivery');
  }

  /** The body as JSON. */
  get json(): unknown {
    return JSON.parse(this.body.toString());
  }

  /**
   * Whether the signatures over these exact bytes were made with the secret; compared in constant time. How old the
   * timestamp is does not matter: the application's clock may be a {@link MovableClock}.
   *
   * @param scheme `standard`: one of the signatures in `webhook-signature`, which name every live secret. `thorn`:
   * `Hook-HMAC`, which the newest secret makes alone. Default `both`.
   */
  isSignedWith(secret: string, scheme: 'standard' | 'thorn' | 'both' = 'both'): boolean {
    const { headers, body } = this;
    const isStandard = isStandardSigned(headers, body, secret);
    const isThorn = isThornSigned(headers, body, secret);
    if (scheme === 'both') return isStandard && isThorn;
    return scheme === 'standard' ? isStandard : isThorn;
  }

  #header(name: string): string {
    return String(this.headers[name] ?? '');
  }
}
