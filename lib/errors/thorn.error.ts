/** The guide to errors, which the package carries: an installed one is all that a reader needs. */
const GUIDE = 'node_modules/nestjs-thorn/docs/errors.md';

/**
 * Base of every error that the library throws on purpose.
 *
 * The message says what went wrong and what to do about it; {@link code} is stable and meant for programs, and
 * {@link link} leads to its cause and fix; {@link data} carries the facts. Neither ever holds a secret, a signature, an
 * authorization header or a query string.
 */
export abstract class ThornError extends Error {
  /** Stable, machine-readable name of the kind of failure, for example `THORN_TABLES_MISSING`. */
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
    showLink(this);
  }

  /**
   * Where the guide in the installed package explains {@link code}, from the application's own folder. A stack that is
   * printed shows the link below the message.
   */
  get link(): string {
    return `${GUIDE}#${this.code.toLowerCase()}`;
  }
}

/** Puts the link into the stack, which loggers and Node print. */
function showLink(error: ThornError): void {
  // Captured again: its text is made when it is read, and the error's own text would be made here.
  const frames: { stack?: string } = {};
  Error.captureStackTrace(frames, error.constructor);
  Object.defineProperty(error, 'stack', {
    configurable: true,
    get: () => {
      const { name, message, link } = error;
      const { stack = '' } = frames;
      const first = stack.indexOf('\n    at ');
      return `${name}: ${message}\n    See ${link}${first === -1 ? '' : stack.slice(first)}`;
    },
    set: (value: unknown) => {
      Object.defineProperty(error, 'stack', { value, writable: true, configurable: true });
    },
  });
}
