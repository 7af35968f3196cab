import type { RecipientPolicy } from '../recipient-policy/recipient-policy.js';

/** One HTTP request of a delivery. */
export interface WebhookRequest {
  readonly url: string;
  /** Complete and already checked; sent unchanged. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Deadline of the whole request in milliseconds: name look-up, connection and the complete answer. */
  readonly timeout: number;
  /** False: use a connection of its own, closed after the answer. */
  readonly keepAlive: boolean;
  /**
   * Judges this request instead of the client's own policy. Requests with different policies never share a connection.
   */
  readonly policy?: RecipientPolicy;
  /**
   * Called when there is a connection, and at the deadline. Returns the milliseconds for which the request may go on.
   * At 0 or less the request is not sent, or is ended. Default: the deadline does not move.
   */
  readonly timeLeft?: () => number;
}

/** The answer, whatever the status. */
export interface WebhookResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The first bytes of the answer, 16 KiB at most. */
  readonly body: Buffer;
  /** True when the answer was longer than {@link body}. */
  readonly truncated: boolean;
  /** The dialled address, or null when unknown. */
  readonly address: string | null;
  /**
   * Headers of the request that the client itself has added, such as those of axios interceptors. Their values are
   * hidden in what is kept of the answer. Default: none.
   */
  readonly addedHeaders?: Readonly<Record<string, string>>;
}

/**
 * Makes the HTTP requests of deliveries. Never follows a redirect, ignores proxy settings of the environment, verifies
 * TLS, and lets the recipient policy judge the dialled address.
 *
 * Pluggable: this class is the injection token. Replace it with `ThornModule.forRoot({ httpClient: MyClient })`. Any
 * implementation must pass `webhookHttpClientConformance`.
 */
export abstract class WebhookHttpClient {
  /**
   * Posts once. Resolves with the answer, whatever the status.
   *
   * @throws `AttemptError` without an answer, with its `reason` (`timeout`, `connection-refused`, …)
   * @throws `RecipientRefusedError` when the policy refuses the URL or an address
   */
  abstract post(request: WebhookRequest): Promise<WebhookResponse>;

  /**
   * Fails the requests under way. Called before {@link close}, when the time for shutting down is over and other
   * processes may deliver instead. Default: {@link close} waits for their answers.
   */
  abort?(): void;

  /** Closes kept connections; called once when the application shuts down. */
  abstract close(): Promise<void>;
}
