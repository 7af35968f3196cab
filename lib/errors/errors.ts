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
   * The section of the guide that explains {@link code}: a path in the installed package, from the folder of the
   * application. Printed stacks show it below the message.
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

/** Thrown at decoration or at start-up when a decorator or a module option is used wrongly. */
export class ThornConfigurationError extends ThornError {
  constructor(
    readonly code: `THORN_${string}`,
    message: string,
    data: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(message, data, cause);
  }
}

/** The words for why a value is refused, for programs and for translations. The guide of the REST API explains them. */
export const REFUSAL_CODES = [
  // Any field
  ...['required', 'unknown-field', 'length', 'too-long', 'too-deep', 'too-many', 'repeated'],
  ...[
    'control-characters',
    'not-a-time',
    'not-in-the-past',
    'not-in-the-future',
    'not-after-since',
  ],
  // The URL; the recipient policy has others, such as `private-address`
  ...['protocol', 'port', 'credentials', 'malformed-url', 'forbidden-character', 'host-limit'],
  // Patterns of events
  ...['malformed-pattern', 'too-many-segments', 'unknown-event', 'hidden-event', 'no-changes'],
  // A filter
  ...['empty', 'unknown-path', 'unknown-operator', 'wrong-value', 'never-holds', 'transition'],
  // Headers of an endpoint
  ...['reserved-header', 'header-value'],
  // Headers and credentials of an endpoint whose URL has moved
  'other-origin',
  // The shape of bodies
  ...['malformed-template', 'not-json', 'not-offered', 'excluded'],
  // Any other field
  ...['too-high', 'in-use', 'rotated-too-often'],
] as const;

/** One of {@link REFUSAL_CODES}. */
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** The facts of a refusal: `reason` is its stable word, the others what the text names, such as `max`. */
export interface RefusalData {
  readonly reason?: RefusalCode;
  readonly [fact: string]: unknown;
}

/**
 * Thrown when a value that a caller gave is refused: nothing was stored and nothing sent. The REST API answers it as
 * a 400 that names every field of {@link all}.
 */
export class InvalidInputError extends ThornError {
  readonly code = 'THORN_INVALID_INPUT';
  // Not a plain property: the error would hold itself, and JSON.stringify() would fail.
  readonly #others: readonly InvalidInputError[];

  /**
   * @param field the name of the refused field, as the caller spells it
   * @param reason a sentence part that follows the field's name, for example `must be an http or https URL`
   */
  constructor(
    readonly field: string,
    readonly reason: string,
    data: RefusalData = {},
    others: readonly InvalidInputError[] = [],
  ) {
    super([`${field} ${reason}`, ...others.map(({ message }) => message)].join('; '), {
      field,
      ...data,
    });
    this.#others = others;
  }

  /** One error for each refused field, this one first. */
  get all(): readonly InvalidInputError[] {
    return [this, ...this.#others];
  }

  /**
   * Runs checks that throw this error.
   *
   * @throws {@link InvalidInputError} of the first field that is refused, with those of the others in {@link all}
   */
  static throwAll(checks: readonly (() => unknown)[]): void {
    const errors: InvalidInputError[] = [];
    for (const check of checks) {
      try {
        check();
      } catch (error) {
        if (!(error instanceof InvalidInputError)) throw error;
        errors.push(...error.all);
      }
    }
    const [first, ...others] = errors;
    if (first === undefined) return;
    throw others.length === 0
      ? first
      : new InvalidInputError(first.field, first.reason, first.data, others);
  }
}

/** Thrown when the recipient policy refuses a URL, or the address that a connection was about to dial. */
export class RecipientRefusedError extends ThornError {
  readonly code = 'THORN_RECIPIENT_REFUSED';

  /**
   * @param reason a short stable word for the rule that refused, for example `private-address` or `port`
   * @param explanation a sentence part for people, for example `port 22 is not among the allowed ports 80, 443`
   */
  constructor(
    readonly reason: string,
    readonly explanation: string,
    data: Readonly<Record<string, unknown>> = {},
  ) {
    super(`The recipient is refused: ${explanation}`, { reason, ...data });
  }
}
