import type { RecipientPolicy } from '../recipient-policy/recipient-policy.js';

/** One HTTP request of a delivery. */
export interface WebhookRequest {
  readonly url: string;
  /** Complete and already checked; sent as they are. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Deadline of the whole request in milliseconds: name look-up, connection, answer and its body. */
  readonly timeout: number;
  /** False: a connection of its own, closed after the answer. */
  readonly keepAlive: boolean;
  /** Judges this request in place of the client's own policy; never shares a connection with another one. */
  readonly policy?: RecipientPolicy;
}

/** What came back, whatever the status. */
export interface WebhookResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The first bytes of the answer, 16 KiB at most. */
  readonly body: Buffer;
  /** Whether the answer went on beyond {@link body}. */
  readonly truncated: boolean;
  /** The address that was dialled, or null when it is not known. */
  readonly address: string | null;
}

/**
 * Makes the HTTP requests of deliveries. Never follows a redirect, ignores proxy settings of the environment, verifies
 * TLS, and lets the recipient policy judge the address that is dialled.
 *
 * Pluggable: this class is the injection token. Give another with `ThornModule.forRoot({ httpClient: MyClient })`.
 * Any implementation must pass `webhookHttpClientConformance`.
 */
export abstract class WebhookHttpClient {
  /**
   * Posts once. Resolves with the answer whatever its status.
   *
   * @throws `AttemptError` when there is no answer: its `code` says why (`timeout`, `connection-refused`, …)
   * @throws `RecipientRefusedError` when the policy refuses the URL or an address
   */
  abstract post(request: WebhookRequest): Promise<WebhookResponse>;

  /** Ends kept connections; called once when the application shuts down. */
  abstract close(): Promise<void>;
}
