/**
 * Base of every error that the library throws on purpose.
 *
 * The message says what went wrong and what to do about it; {@link code} is stable and meant for programs;
 * {@link data} carries the facts. Neither ever holds a secret, a signature, an authorization header or a query string.
 */
export abstract class ThornError extends Error {
  /** Stable, machine-readable name of the kind of failure, for example `THORN_INVALID_PATTERN`. */
  abstract readonly code: string;
  /** The facts of this failure, safe to log. */
  readonly data: Readonly<Record<string, unknown>>;

  protected constructor(
    message: string,
    data: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.data = data;
  }
}
