/** The parts of a message that a {@link WebhookFormat} makes a request of. */
export interface FormatInput {
  /** The id of the message: the same on every attempt, and the `webhook-id` of the request. */
  readonly id: string;
  /** The event's name. */
  readonly event: string;
  /** When the event happened: ISO 8601 with milliseconds, UTC. */
  readonly timestamp: string;
  /** The data of the message: plain JSON values. */
  readonly data: unknown;
  /** The URL of the thing, or null. */
  readonly ref: string | null;
  /** The owner of the event, or null. */
  readonly owner: string | null;
  /** The subscriber that gets the request. A static subscriber has no metadata. */
  readonly subscriber: {
    readonly id: string;
    readonly metadata: Readonly<Record<string, string>>;
  };
}

/** The request that a {@link WebhookFormat} makes of a message. */
export interface FormattedRequest {
  /** The bytes to sign and to send, as text. */
  readonly body: string;
  /** The media type of the body. Default `application/json`. */
  readonly contentType?: string;
  /**
   * Additional headers, under the same rules as the headers of a message: none of them may replace a header of the
   * protocol or of the signature. Default none.
   */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Rules of a {@link WebhookFormat} that replace the usual rules for deliveries. */
export interface FormatRules {
  /**
   * The hosts that URLs of the format may have, such as `hooks.slack.com`. Their endpoints are known, so that they are asked
   * for no consent. Default: any host that the recipient policy allows.
   */
  readonly hosts?: readonly string[];
  /**
   * Milliseconds to wait before each retry. The delivery fails after the last retry. Default: the retries of the event,
   * or of the retry policy.
   */
  readonly retries?: readonly number[];
  /** Bytes of a body at most: a delivery with a longer one ends before its first attempt. Default: any number. */
  readonly maxBytes?: number;
  /** Statuses, 400 to 499, that end the delivery alone: 410 leaves the subscriber enabled then. Default none. */
  readonly endsDelivery?: readonly number[];
  /** False: 429, 502, 503 and 504 pause no other subscriber of the host. Default true. */
  readonly pausesHost?: boolean;
}

/**
 * Makes requests in the form that a receiver knows, such as Slack or Discord, of the messages to its subscribers. Requests
 * have no headers `Hook-*`, and are signed as all others.
 *
 * Pluggable: extend this class, and register an instance by the name that the field `format` of subscribers has.
 *
 * @example
 * ```ts
 * class SlackFormat extends WebhookFormat {
 *   override readonly rules = { hosts: ['hooks.slack.com'] };
 *   request({ event, data }: FormatInput) {
 *     return { body: JSON.stringify({ text: `${event}: ${JSON.stringify(data)}` }) };
 *   }
 * }
 * ThornModule.forRoot({ formats: { slack: new SlackFormat() } });
 * ```
 */
export abstract class WebhookFormat {
  /** Read once, when the format is registered. Default: nothing differs. */
  readonly rules: FormatRules = {};

  /**
   * Makes the request. The answer depends on the message alone: the method is called for each attempt, in any process. An
   * error fails the attempt, which is retried.
   */
  abstract request(message: FormatInput): FormattedRequest;
}
