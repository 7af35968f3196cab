import { InvalidInputError } from '../../errors/index.js';
import type { Digest } from '../../message/index.js';
import { notAString } from '../../signing/secrets.js';
import { processOnce, type ReceivedTable } from '../processing/received-table.js';
import { DEFAULT_RETENTION } from '../processing/received-messages.js';
import { schemeOf, type SchemeName } from '../schemes/scheme-by-name.js';
import {
  type SignedRequest,
  WebhookRejectedError,
  type HeadersSource,
  signedRequest,
} from '../schemes/signed-request.js';
import type { MessageOrder, WebhookScheme } from '../schemes/webhook-scheme.js';

/**
 * A webhook with a valid signature: the value of a parameter with `@Webhook()`. With the type argument `Transaction`,
 * such as `PrismaTransaction`, `processOnce()` takes transactions of this type only.
 */
export interface VerifiedWebhook<Payload = unknown, Transaction = unknown> {
  /** Name of the receiver that verified it. */
  readonly receiver: string;
  /** The same on every attempt, different for every message; null when the sender gives none. */
  readonly id: string | null;
  /** The event's name, or null when the message does not name it. */
  readonly event: string | null;
  /** The key of the message and its number among the messages of that key; null when the sender gives none. */
  readonly order: MessageOrder | null;
  /** Time of this attempt's signature, in milliseconds since the Unix epoch; null when the scheme signs no time. */
  readonly timestamp: number | null;
  /** The body, parsed by its content type. It is not validated: the type is the sender's promise. */
  readonly payload: Payload;
  /** The exact bytes that were signed. */
  readonly rawBody: Buffer;
  /**
   * Does the work of this message once, however often the message comes and however many processes get it. The id is
   * recorded in the transaction of the work: either both are stored, or neither is. Needs the table
   * `thorn_received_messages`.
   *
   * @param tx the transaction that the work writes with: the object that the client of the option `database` passes to
   *   its transaction function. Without that option: TypeORM's manager
   * @returns the result of `work`, or undefined when the message was processed before
   * @throws {@link TransactionRequiredError} outside of a transaction
   * @throws {@link TransactionEndedError} when it has ended, or when one of its statements has failed
   * @throws {@link OtherDatabaseError} for a transaction of another database than the option `database` names
   * @throws {@link InvalidInputError} when the message has no id
   */
  processOnce<Result>(tx: Transaction, work: () => Promise<Result>): Promise<Result | undefined>;
}

/** Five minutes, as Standard Webhooks recommends. */
const DEFAULT_TOLERANCE = 5 * 60_000;

/** Options for verifying the webhooks of one sender. */
export interface VerifierOptions {
  /** The sender's way to sign. Default `standard`. */
  readonly scheme?: SchemeName | WebhookScheme;
  /** A signature by any one of them is enough. Give the old and the new secret while the sender rotates. */
  readonly secrets: readonly string[];
  /** The digest of `Hook-HMAC`, for the scheme `thorn` alone. Default `sha256`. */
  readonly digest?: Digest;
  /**
   * Largest difference between the timestamp and now, in both directions, in milliseconds. Default five minutes. Use
   * `Infinity` for webhooks that wait in a queue before they are verified: then only the id reveals a repetition.
   */
  readonly tolerance?: number;
  /** Name of the sender; ids of different senders are different messages. Default `default`. */
  readonly receiver?: string;
  /** How long `processOnce()` remembers an id, in milliseconds. Default seven days. */
  readonly retention?: number;
}

/** Verifies the webhooks of one sender; the keys are made once. */
export class WebhookVerifier {
  readonly #scheme: WebhookScheme;
  readonly #keys: readonly unknown[];
  readonly #tolerance: number;
  readonly #receiver: string;
  readonly #retention: number;
  /** Warnings about the secrets, each a sentence without the secret. */
  readonly warnings: readonly string[];

  /**
   * @param table the table that `processOnce()` uses. Default: the table in the database of TypeORM's manager
   * @throws {@link InvalidInputError} for wrong options; the error does not hold the secrets
   */
  constructor(
    options: VerifierOptions,
    private readonly table?: ReceivedTable,
  ) {
    const { scheme = 'standard', secrets, tolerance = DEFAULT_TOLERANCE } = options;
    this.#scheme = schemeOf(scheme, options.digest);
    this.#keys = keysOf(this.#scheme, secrets);
    this.warnings = secrets.flatMap((secret, index) => {
      const warning = this.#scheme.warning(secret);
      return warning === null ? [] : [`secrets[${index}] ${warning}.`];
    });
    this.#tolerance = positive('tolerance', tolerance);
    this.#retention = positive('retention', options.retention ?? DEFAULT_RETENTION);
    this.#receiver = options.receiver ?? 'default';
  }

  /**
   * @param now milliseconds since the Unix epoch
   * @throws {@link WebhookRejectedError} with the reason
   */
  verify(request: SignedRequest, now: number): VerifiedWebhook {
    const claim = this.#scheme.read(request);
    if (claim.timestamp !== null) this.#checkAge(now - claim.timestamp);
    if (!this.#keys.some((key) => this.#scheme.isSigned(request, claim, key))) {
      throw new WebhookRejectedError(
        'wrong-signature',
        'no signature was made with one of the secrets over the body that was received',
      );
    }
    const payload = this.#scheme.payload(request);
    const { id, event, order = null } = this.#scheme.identify(request, payload);
    const [receiver, retention] = [this.#receiver, this.#retention];
    return {
      receiver,
      id,
      event,
      order,
      timestamp: claim.timestamp,
      payload,
      rawBody: request.body,
      processOnce: (tx, work) =>
        processOnce(this.table, tx, { receiver, id, now, retention }, work),
    };
  }

  #checkAge(age: number): void {
    if (Math.abs(age) <= this.#tolerance) return;
    const [reason, direction] =
      age > 0 ? (['too-old', 'past'] as const) : (['too-new', 'future'] as const);
    throw new WebhookRejectedError(
      reason,
      `its timestamp is ${Math.round(Math.abs(age) / 1000)} s in the ${direction}; ${this.#tolerance / 1000} s are tolerated`,
    );
  }
}

function keysOf(scheme: WebhookScheme, secrets: unknown): unknown[] {
  if (!Array.isArray(secrets) || secrets.length === 0) {
    throw new InvalidInputError('secrets', 'must be a list of at least one secret');
  }
  return secrets.map((secret: unknown, index) => {
    const field = `secrets[${index}]`;
    if (typeof secret !== 'string') throw new InvalidInputError(field, notAString(secret));
    // Checked for every scheme: with an empty key anybody could sign.
    if (secret === '') {
      throw new InvalidInputError(
        field,
        'is empty; check that the environment variable that holds it has a value',
      );
    }
    try {
      return scheme.key(secret);
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      throw new InvalidInputError(field, error.reason);
    }
  });
}

function positive(name: string, value: unknown): number {
  if (typeof value === 'number' && value > 0) return value;
  throw new InvalidInputError(name, 'must be a number of milliseconds above 0');
}

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
