import { type SignedRequest, WebhookRejectedError } from './signed-request.js';
import { timingSafeEqual } from 'node:crypto';
import { decodeBody } from './decode-body.js';

/** The key of a message, and its number among the messages of that key. */
export interface MessageOrder {
  /** The messages of one key have an order. */
  readonly key: string;
  /** A message with a smaller number happened before. */
  readonly sequence: number;
  /** False: both come from headers, which the signature does not cover. */
  readonly isSigned: boolean;
}

const MAX_KEY = 255;

/** Reads the order of a message of ours: from the body, which is signed, or else from `Hook-Key` and `Hook-Sequence`. */
export function orderOf({ headers }: SignedRequest, payload: unknown): MessageOrder | null {
  if (typeof payload === 'object' && payload !== null) {
    const { key, sequence } = payload as Readonly<Record<string, unknown>>;
    const signed = toOrder(key, sequence, true);
    if (signed !== null) return signed;
  }
  return toOrder(decoded(headers['hook-key']), headers['hook-sequence'], false);
}

function toOrder(key: unknown, value: unknown, isSigned: boolean): MessageOrder | null {
  // A form has texts alone.
  const sequence = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof key !== 'string' || key === '' || key.length > MAX_KEY) return null;
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 1) return null;
  return { key, sequence, isSigned };
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text && decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const MAX_SIGNATURES = 10;

/** The signatures and the time that a request claims, not verified yet. */
export interface SignatureClaim {
  /** Time of the signature, in milliseconds since the Unix epoch; null when the scheme signs no time. */
  readonly timestamp: number | null;
  /** From one to ten signatures. */
  readonly signatures: readonly string[];
}

/** Id and event of a verified message. */
export interface MessageIdentity {
  /** The same on every attempt, different for every message; null when the sender gives none. */
  readonly id: string | null;
  /** The event's name, or null when the message does not name it. */
  readonly event: string | null;
  /** The key of the message and its number among the messages of that key. Default: none. */
  readonly order?: MessageOrder | null;
}

/**
 * The way in which a sender signs. Extend the class for other senders, and give it, or an instance, as the `scheme` of
 * a receiver. The module handles several secrets, the tolerance, de-duplication and responses.
 *
 * @typeParam Key the form that a secret takes once, at start-up
 */
export abstract class WebhookScheme<Key = unknown> {
  /**
   * Turns a configured secret into a key.
   *
   * @throws {@link InvalidInputError} for the field `secret` when it is malformed; the application does not start
   */
  abstract key(secret: string): Key;

  /**
   * Returns a warning about a configured secret, which is logged at start-up: a sentence part that follows its name.
   * Default: null, no warning.
   */
  warning(_secret: string): string | null {
    return null;
  }

  /**
   * Reads the signature's headers. {@link headerOf} and {@link signaturesOf} help.
   *
   * @throws {@link WebhookRejectedError} `missing-header` or `malformed-header`
   */
  abstract read(request: SignedRequest): SignatureClaim;

  /** Tells whether one of the claimed signatures was made with the key. Compare with {@link equalsInConstantTime}. */
  abstract isSigned(request: SignedRequest, claim: SignatureClaim, key: Key): boolean;

  /** Reads id and event of a verified message. Parts that the signature does not cover may have been replaced. */
  abstract identify(request: SignedRequest, payload: unknown): MessageIdentity;

  /**
   * Reads the body of a verified request. Default: by its content type.
   *
   * @throws {@link WebhookRejectedError} `unreadable-body`
   */
  payload(request: SignedRequest): unknown {
    return decodeBody(request);
  }
}

/**
 * Returns the value of a header.
 *
 * @throws {@link WebhookRejectedError} `missing-header`
 */
export function headerOf({ headers }: SignedRequest, name: string): string {
  const value = headers[name];
  if (value) return value;
  throw new WebhookRejectedError('missing-header', `the header ${name} is missing`);
}

/**
 * Checks the signatures of a header. More than ten are refused: each costs a comparison before the sender is known.
 *
 * @throws {@link WebhookRejectedError} `malformed-header`
 */
export function signaturesOf(name: string, signatures: readonly string[]): readonly string[] {
  if (signatures.length > 0 && signatures.length <= MAX_SIGNATURES) return signatures;
  throw new WebhookRejectedError(
    'malformed-header',
    `the header ${name} must hold 1 to ${MAX_SIGNATURES} signatures of a known kind`,
  );
}

/**
 * Converts a timestamp in seconds to milliseconds since the Unix epoch.
 *
 * @throws {@link WebhookRejectedError} `malformed-header`
 */
export function timestampOf(name: string, seconds: string | undefined): number {
  if (seconds !== undefined && /^\d{1,12}$/.test(seconds)) return Number(seconds) * 1000;
  throw new WebhookRejectedError(
    'malformed-header',
    `the timestamp of the header ${name} must be whole seconds`,
  );
}

/** Compares two texts in a time that does not depend on where they differ. */
export function equalsInConstantTime(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Returns a property of a payload when it is a text that is not empty, else null. */
export function textOf(payload: unknown, name: string): string | null {
  if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, name)) return null;
  const value = (payload as Record<string, unknown>)[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
