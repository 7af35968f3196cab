import type { Attempt, AttemptErrorCode } from './attempt.js';

/** One request of a delivery, as the delivery log tells of it. */
export interface AttemptRecord {
  /** 1 for the first. */
  readonly number: number;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** Milliseconds. */
  readonly duration: number;
  /** The answer's status, or null when there was none. */
  readonly status: number | null;
  /** Why there was no answer, or null. The text is for operators: it may name a private address. */
  readonly error: { readonly code: AttemptErrorCode; readonly message: string } | null;
  /** The first 16 KiB of the answer as text; null when it was empty, or was dropped since. */
  readonly response: string | null;
  /** The dialled address, for operators; null when unknown. */
  readonly address: string | null;
}

/**
 * What is kept of an attempt: every text can be stored in any database.
 *
 * @param number of the attempt, 1 for the first
 */
export function attemptRecordOf(
  number: number,
  { startedAt, duration, status, error, response, address }: Attempt,
): AttemptRecord {
  return {
    number,
    startedAt,
    duration: Math.round(duration),
    status,
    error: error === null ? null : { code: error.code, message: storable(error.message) },
    response: response.length === 0 ? null : storable(response.toString()),
    address,
  };
}

/** PostgreSQL refuses NUL, and halves of surrogate pairs: one bad text must not keep a whole set from being written. */
function storable(text: string): string {
  return Buffer.from(text).toString().replaceAll('\0', '');
}
