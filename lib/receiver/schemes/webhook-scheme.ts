import { timingSafeEqual } from 'node:crypto';
import { decodeBody } from './decode-body.js';
import type { SignedRequest } from './signed-request.js';
import { WebhookRejectedError } from './webhook-rejected.error.js';

const MAX_SIGNATURES = 10;

/** What a request says of its signature; nothing of it is believed yet. */
export interface SignatureClaim {
  /** When it was signed, in milliseconds since the Unix epoch; null when the scheme signs no time. */
  readonly timestamp: number | null;
  /** At least one and at most ten. */
  readonly signatures: readonly string[];
}

/** What a verified message is called. */
export interface MessageIdentity {
  /** The same on every attempt, different for every message; null when the sender gave none. */
  readonly id: string | null;
  /** The event's name, or null when the message does not say. */
  readonly event: string | null;
}

/**
 * How a sender signs. Extend it for a sender that signs in a way of its own, and give the class, or an instance, as the
 * `scheme` of a receiver. Several secrets, tolerance, de-duplication and answers are not its concern.
 * Any implementation must pass `webhookSchemeConformance` of `nestjs-thorn/testing`.
 *
 * @typeParam Key what a secret is turned into, once, at start-up
 */
export abstract class WebhookScheme<Key = unknown> {
  /**
   * The key that a configured secret stands for.
   *
   * @throws {@link InvalidInputError} for the field `secret` when it is malformed; the application does not start
   */
  abstract key(secret: string): Key;

  /**
   * A doubt about a configured secret that is logged at start-up: a sentence part that follows its name. Default: none.
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

  /** Whether one of the claimed signatures was made with the key. Compare with {@link equalsInConstantTime}. */
  abstract isSigned(request: SignedRequest, claim: SignatureClaim, key: Key): boolean;

  /** Names a message that is verified. What the signature does not cover could have been replaced on the way. */
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
 * The value of a header.
 *
 * @throws {@link WebhookRejectedError} `missing-header`
 */
export function headerOf({ headers }: SignedRequest, name: string): string {
  const value = headers[name];
  if (value) return value;
  throw new WebhookRejectedError('missing-header', `the header ${name} is missing`);
}

/**
 * The signatures that a header holds. More than ten are refused: each costs a comparison before the sender is known.
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
 * Milliseconds since the Unix epoch of a timestamp in seconds.
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

/** Compares in a time that tells nothing of where two texts differ. */
export function equalsInConstantTime(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The property of a payload, when it is a text that is not empty. */
export function textOf(payload: unknown, name: string): string | null {
  if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, name)) return null;
  const value = (payload as Record<string, unknown>)[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
