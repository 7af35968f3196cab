import { isObject } from '../../common/objects.js';
import { parseDuration } from '../../common/time.js';
import { InvalidInputError } from '../../errors/index.js';
import type { Secret } from '../../message/recipient.js';
import { isSameSecret } from '../../signing/index.js';
import { MAX_METADATA_KEY_LENGTH, SECRET_FIELD } from '../model/subscriber-fields.js';
import type { SubscriberRules } from './subscriber-rules.js';

/** The maximum number of a subscriber's secrets that sign at the same time. */
export const MAX_LIVE_SECRETS = 5;
/** The maximum overlap of a replaced secret: 90 days, in milliseconds. */
export const MAX_OVERLAP = 90 * 24 * 60 * 60_000;

const DEFAULT_OVERLAP = '24h';
/** Options of a secret rotation. */
export interface SecretRotation {
  /**
   * The time for which the previous secrets keep signing beside the new secret: milliseconds, or a text such as `24h`,
   * `90m`, `7d`. 0 ends the previous secrets at once. Up to 90 days. Default `24h`.
   */
  readonly overlap?: number | string;
  /** The new secret. Default: a random secret. */
  readonly secret?: string;
}

/**
 * Checks every field but the value of the overlap.
 *
 * @throws {@link InvalidInputError} naming the field that is unknown or refused
 */
export function checkSecretRotation(input: unknown, rules: SubscriberRules): SecretRotation {
  if (!isObject(input)) throw new InvalidInputError('rotation', 'must be an object');
  const unknown = Object.keys(input).find((key) => key !== 'overlap' && key !== 'secret');
  if (unknown !== undefined) {
    throw new InvalidInputError(
      unknown.slice(0, MAX_METADATA_KEY_LENGTH),
      'is not a field of a rotation; those are overlap, secret',
    );
  }
  const { secret } = input;
  if (secret !== undefined) SECRET_FIELD.check(secret, 'secret', rules);
  return input;
}

/**
 * Parses the overlap to milliseconds.
 *
 * @throws {@link InvalidInputError} whose `field` is `overlap`
 */
export function parseOverlap(overlap: unknown = DEFAULT_OVERLAP): number {
  const milliseconds = typeof overlap === 'string' ? parseDuration(overlap) : overlap;
  if (isWholeNumber(milliseconds) && milliseconds >= 0 && milliseconds <= MAX_OVERLAP) {
    return milliseconds;
  }
  throw new InvalidInputError(
    'overlap',
    'must be a whole number of milliseconds or a text such as "24h", "90m" or "7d", up to 90 days',
  );
}

/**
 * The secrets after a rotation, newest first: the new secret, and the live secrets, which now expire after the overlap
 * at the latest.
 *
 * @throws {@link InvalidInputError} whose `field` is `secret` when the subscriber would have too many secrets, or when
 * the new secret is live already
 */
export function rotated(
  secrets: readonly Secret[],
  fresh: string,
  overlap: number,
  now: number,
): readonly Secret[] {
  const live = withoutExpired(secrets, now);
  if (live.some(({ value }) => isSameSecret(value, fresh))) {
    throw new InvalidInputError('secret', 'must be a new one: it signs already', {
      reason: 'in-use',
    });
  }
  const end = now + overlap;
  const older = withoutExpired(
    live.map(({ value, expiresAt }) => ({ value, expiresAt: Math.min(expiresAt ?? end, end) })),
    now,
  );
  if (older.length >= MAX_LIVE_SECRETS) {
    const next = Math.min(...live.map(({ expiresAt }) => expiresAt ?? end));
    throw new InvalidInputError(
      'secret',
      `was rotated too often: ${MAX_LIVE_SECRETS} are live, the next one expires at ${new Date(next).toISOString()}. ` +
        'Wait until then, or end all of them now with an overlap of 0',
      { reason: 'rotated-too-often', max: MAX_LIVE_SECRETS, next: new Date(next).toISOString() },
    );
  }
  return [{ value: fresh, expiresAt: null }, ...older];
}

/** The secrets that have not expired. Returns the same list when no secret has expired. */
export function withoutExpired(secrets: readonly Secret[], now: number): readonly Secret[] {
  const live = secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
  return live.length === secrets.length ? secrets : live;
}

function isWholeNumber(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
