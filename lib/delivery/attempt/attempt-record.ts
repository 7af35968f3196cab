import type { Attempt, AttemptErrorCode } from './attempt.js';

/** One request of a delivery, as the delivery log stores it. */
export interface AttemptRecord {
  /** 1 for the first. */
  readonly number: number;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** Milliseconds. */
  readonly duration: number;
  /** The status of the answer, or null without an answer. */
  readonly status: number | null;
  /** The error of a request without an answer, or null. The text is for operators: it may contain a private address. */
  readonly error: { readonly code: AttemptErrorCode; readonly message: string } | null;
  /** The first 16 KiB of the answer as text; null when the answer was empty, or has been dropped since. */
  readonly response: string | null;
  /** The headers of the answer that are kept; null when none are, or when they have been dropped since. */
  readonly answerHeaders: Readonly<Record<string, string>> | null;
  /** The dialled address, for operators; null when unknown. */
  readonly address: string | null;
}

/**
 * Creates the record of an attempt. Every database can store its texts.
 *
 * @param number of the attempt, 1 for the first
 */
export function attemptRecordOf(
  number: number,
  { startedAt, duration, status, error, response, answerHeaders, address }: Attempt,
): AttemptRecord {
  return {
    number,
    startedAt,
    duration: Math.round(duration),
    status,
    error: error === null ? null : { code: error.code, message: storable(error.message) },
    response: response.length === 0 ? null : storable(response.toString()),
    answerHeaders,
    address,
  };
}

/** PostgreSQL rejects NUL and lone surrogates; one bad text would fail the whole set. */
function storable(text: string): string {
  return Buffer.from(text).toString().replaceAll('\0', '');
}
