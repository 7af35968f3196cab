import type { RefusalCode } from './refusal-codes.js';
import { ThornError } from './thorn.error.js';

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
