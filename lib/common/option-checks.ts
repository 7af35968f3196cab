import { ThornConfigurationError, InvalidInputError } from '../errors/index.js';
import { isObject } from './objects.js';

interface NumberLimits {
  /** Default 1 for integers, 0 for other numbers. */
  readonly min?: number;
  /** Default: none. */
  readonly max?: number;
  /** The unit of the number, for example `milliseconds`. */
  readonly unit?: string;
  /** True: `Infinity` is allowed as well. */
  readonly orInfinity?: boolean;
}

/** The limits of a time that a timer waits for: Node makes a longer one a millisecond. */
export const TIMER: NumberLimits = { max: 2_147_483_647, unit: 'milliseconds' };

/**
 * Checks options, so that all wrong ones are reported in the same form. An option that is left out passes every check.
 *
 * @example
 * ```ts
 * const check = new OptionChecks('outbox()');
 * check.names(options, ['window', 'lease']);
 * const window = check.integer('window', options.window ?? 1000);
 * ```
 */
export class OptionChecks {
  /**
   * @param taker the function or decorator that takes the options; empty where `path` says enough
   * @param path the path of the object that holds the options, with a dot at its end
   */
  constructor(
    private readonly taker: string,
    private readonly path = '',
  ) {}

  /** Returns the checks of the options inside one option. */
  within(name: string): OptionChecks {
    return new OptionChecks(this.taker, `${this.path}${name}.`);
  }

  /** Rejects options that are not an object, as in `outbox(null)`. */
  given(options: unknown): void {
    if (isObject(options)) return;
    const rule = `The options of ${this.taker} must be an object, not ${kindOf(options)}.`;
    throw new ThornConfigurationError('THORN_OPTION_INVALID', rule);
  }

  /** Rejects names that are not options: a misspelled option would otherwise have its default. */
  names(options: object, valid: readonly string[]): void {
    this.given(options);
    const unknown = Object.keys(options).find((name) => !valid.includes(name));
    if (unknown === undefined) return;
    const rule = valid.length === 0 ? 'Leave it out.' : `Valid options: ${valid.join(', ')}.`;
    throw new ThornConfigurationError(
      'THORN_OPTION_INVALID',
      `Unknown option ${this.#quoted(unknown, ' in ')}. ${rule}`,
      { option: this.path + unknown },
    );
  }

  /** Checks that an option is an object, and the names in it. */
  object(name: string, value: unknown, valid?: readonly string[]): void {
    if (value === undefined) return;
    const rule = valid === undefined ? '' : ` with any of ${valid.join(', ')}`;
    this.assert(name, isObject(value), `must be an object${rule}, not ${kindOf(value)}`);
    if (valid !== undefined) this.within(name).names(value as object, valid);
  }

  /** Checks for the URL of the REST API as receivers reach it. Returns it without a slash at its end. */
  apiUrl(name: string, value: unknown): string {
    const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
    const isPlain =
      url !== null &&
      /^https?:$/.test(url.protocol) &&
      url.search + url.hash + url.username + url.password === '';
    if (isPlain) return url.href.replace(/\/+$/, '');
    throw this.error(
      name,
      "must be the URL at which receivers reach the REST API, for example 'https://api.example.com/hooks'",
    );
  }

  /** Checks for a whole number within limits. Returns the value. */
  integer<Value extends number | undefined>(
    name: string,
    value: Value,
    { min = 1, ...limits }: NumberLimits = {},
  ): Value {
    this.#number(name, value, 'an integer', Number.isSafeInteger(value), { min, ...limits });
    return value;
  }

  /** Checks for a number within limits. Returns the value. */
  number<Value extends number | undefined>(
    name: string,
    value: Value,
    { min = 0, ...limits }: NumberLimits = {},
  ): Value {
    const isNumber = typeof value === 'number' && !Number.isNaN(value);
    this.#number(name, value, 'a number', isNumber, { min, ...limits });
    return value;
  }

  /** Checks for a number above 0. */
  positive<Value extends number | undefined>(name: string, value: Value, unit: string): Value {
    const isFine = value === undefined || (typeof value === 'number' && value > 0);
    this.assert(name, isFine, `must be a number of ${unit} above 0, not ${show(value)}`);
    return value;
  }

  /** Checks for true or false. Returns the value. */
  boolean<Value extends boolean | undefined>(name: string, value: Value): Value {
    this.oneOf<unknown>(name, value, [true, false]);
    return value;
  }

  /** Checks for one of the valid values. Returns the value. */
  oneOf<Value>(name: string, value: Value, valid: readonly NonNullable<Value>[]): Value {
    if (value !== undefined && !(valid as readonly unknown[]).includes(value)) {
      const [last, ...others] = valid.map(show).reverse();
      const list = `${others.reverse().join(', ')} or ${last}`;
      throw this.error(name, `must be ${list}, not ${show(value)}`);
    }
    return value;
  }

  /** Checks for a function. @param like what the function does, for the error */
  function(name: string, value: unknown, like: string): void {
    if (value === undefined || typeof value === 'function') return;
    throw this.error(name, `must be a function ${like}, not ${kindOf(value)}`);
  }

  /** Checks for a list of classes or other functions. */
  functions(name: string, value: unknown, what: string): void {
    if (value === undefined) return;
    const isFine = Array.isArray(value) && value.every((one) => typeof one === 'function');
    this.assert(name, isFine, `must be a list of ${what}`);
  }

  /** Applies a rule of the caller's own. The reason says what the option must be; it follows the option's name. */
  assert(name: string, isFine: boolean, reason: string): void {
    if (!isFine) throw this.error(name, reason);
  }

  /** Rejects options that stand in the wrong place, all of them at once. @param reason follows their names */
  none(names: readonly string[], reason: string): void {
    const [last, ...others] = [...names].reverse();
    if (last === undefined) return;
    const list = [...others.reverse().map((name) => `${this.#quoted(name)}, `), ''].join('');
    throw this.#refusal(names[0]!, `${list}${this.#quoted(last, ' of ')} ${reason}.`);
  }

  /** Creates the error of a wrong option. @param reason follows the option's name and must not hold a secret */
  error(name: string, reason: string, cause?: unknown): ThornConfigurationError {
    return this.#refusal(name, `${this.#quoted(name, ' of ')} ${reason}.`, cause);
  }

  #refusal(name: string, text: string, cause?: unknown): ThornConfigurationError {
    const data = { option: this.path + name };
    return new ThornConfigurationError('THORN_OPTION_INVALID', text, data, cause);
  }

  #number(
    name: string,
    value: number | undefined,
    kind: string,
    isKind: boolean,
    { min, max, unit, orInfinity }: NumberLimits & { readonly min: number },
  ): void {
    if (value === undefined) return;
    const isWithin = value >= min && value <= (max ?? Number.POSITIVE_INFINITY);
    if ((isKind && isWithin) || (orInfinity === true && value === Number.POSITIVE_INFINITY)) return;
    const range = max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
    const rule = [kind, range, ...(unit === undefined ? [] : [`(${unit})`])].join(' ');
    const more = orInfinity === true ? ', or Infinity' : '';
    throw this.error(name, `must be ${rule}${more}, not ${show(value)}`);
  }

  #quoted(name: string, preposition?: string): string {
    const taker = preposition === undefined || this.taker === '' ? '' : preposition + this.taker;
    return `\`${this.path}${name}\`${taker}`;
  }
}

/** Shows a value that holds no secret. */
function show(value: unknown): string {
  if (typeof value === 'string' && value.length <= 40) return `'${value}'`;
  return typeof value === 'object' || typeof value === 'function' || typeof value === 'string'
    ? kindOf(value)
    : String(value);
}

/** Names the kind of a value that may hold a secret. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

/** Refuses fields of other names: one that is misspelled would have no effect. @throws {@link InvalidInputError} */
export function checkKnownFields(fields: object, names: readonly string[]): void {
  const unknown = Object.keys(fields).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new InvalidInputError(unknown, `is unknown. Valid fields: ${names.join(', ')}`);
}
