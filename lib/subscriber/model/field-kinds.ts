import { isObject } from '../../common/objects.js';
import {
  integer,
  list,
  flag as flagSchema,
  oneOf,
  nullable,
  text as textSchema,
  type Schema,
} from '../../common/json-schema.js';
import { parseIsoDate } from '../../common/time.js';
import type { SUBSCRIBERS } from '../../database/schema/thorn-tables.js';
import type { RowOf } from '../../database/schema/table-definition.js';
import { InvalidInputError, RecipientRefusedError, type RefusalCode } from '../../errors/index.js';
import type { WebhookFormats } from '../../message/index.js';

/** A row of `thorn_subscribers`. */
export type SubscriberRow = RowOf<typeof SUBSCRIBERS>;
type Column = keyof SubscriberRow;

/** The rules of the application that the check of a field applies. */
export interface FieldRules {
  /** @throws {@link RecipientRefusedError} when webhooks may not go to the URL */
  checkUrl(url: string): unknown;
  /** @throws {@link InvalidInputError} when the secret is too weak to sign with */
  checkSecret(secret: string): void;
  /** @throws {@link InvalidInputError} when the pattern can match no event of the catalogue */
  checkPatternKnown?(pattern: string): void;
  /** The content types that a codec is registered for. */
  readonly contentTypes: readonly string[];
  /** The formats that are registered. */
  readonly formats: WebhookFormats;
}

/** A field that a caller may give: its check, and its schema for the OpenAPI document. */
export interface GivenField<Value = unknown, Shown = unknown> {
  /** The schema of the field in requests and answers of the REST API. */
  readonly schema: Schema<Shown>;
  /**
   * Reads the value that a caller gave, whose type is not known.
   *
   * @param name the name of the field, for errors
   * @param now milliseconds since the Unix epoch
   * @throws {@link InvalidInputError} when the value is refused
   */
  readonly check: (value: unknown, name: string, rules: FieldRules, now: number) => Value;
}

/** The columns of a field, and the conversions between its value and these columns. */
export interface StoredField<Value = unknown> {
  /** The column of the value; for several columns, one of them. The log names it when the row is malformed. */
  readonly column: Column;
  readonly toColumns: (value: Value) => Partial<SubscriberRow>;
  /** True: the column holds a secret, so that it is sealed before it is written, and opened before it is read. */
  readonly isSealed?: true;
  /** @returns undefined when the columns hold no such value */
  readonly fromRow: (row: SubscriberRow) => Value | undefined;
}

/** A field of a subscriber that its owner may change. */
export interface SubscriberField<Value = unknown, Shown = unknown, Change = Value>
  extends GivenField<Change>, StoredField<Value> {
  /** The value of a new subscriber that does not name the field. Without a default the field must be given. */
  readonly default?: Value;
  /** True: subscribers that the application declares in its code may have the field as well. */
  readonly isStatic?: true;
  /**
   * The value after a change that names a part of it alone. Default: a change names the whole value.
   *
   * @param name the name of the field, for errors
   * @throws {@link InvalidInputError} when the value is refused
   */
  readonly merged?: (change: Change, before: Value, name: string) => Value;
  /** The value in answers of the REST API. Default: as it is. */
  readonly toJson?: (value: Value) => Shown;
  /** The schema of the field in answers of the REST API. Default: as in requests. */
  readonly shown?: Schema<Shown>;
}

/** The check of a field where no value is known before: what it returns is a whole value. */
export function wholeCheck<Value>({
  check,
  merged,
  default: before,
}: Pick<SubscriberField<Value>, 'check' | 'merged' | 'default'>): SubscriberField<Value>['check'] {
  if (merged === undefined) return check;
  return (value, name, rules, now) => merged(check(value, name, rules, now), before!, name);
}

// ── Kinds of fields, each with its schema, its check and its column ─────────────────────────────────────────────────────

// Some databases cannot store NUL and unpaired surrogates. The other control characters have no use in a label.
const UNSTORABLE = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\p{Surrogate}/u;

/** A text in one column. @param max the greatest number of characters */
export function text(column: Column, max: number) {
  const schema: Schema<string> = { ...textSchema, maxLength: max };
  return {
    schema,
    check: (value: unknown, name: string) => checkText(value, name, 0, max),
    ...inColumn<string>(column),
  };
}

/** A whole number in one column. */
export function wholeNumber(
  column: Column,
  { min, max, words = 'a whole number' }: { min: number; max: number; words?: string },
) {
  const schema: Schema<number> = { ...integer, minimum: min, maximum: max };
  const check = (value: unknown, name: string): number => {
    if (isWhole(value, min, max)) return value;
    throw new InvalidInputError(name, `must be ${words} from ${min} to ${max}`);
  };
  return {
    ...{ schema, check },
    ...inColumn<number>(column),
    fromRow: (row: SubscriberRow) => {
      const value = row[column];
      return isWhole(value, min, max) ? value : undefined;
    },
  };
}

/** True or false, in one column. */
export function flag(column: Column) {
  const check = (value: unknown, name: string): boolean => {
    if (typeof value === 'boolean') return value;
    throw new InvalidInputError(name, 'must be true or false');
  };
  return {
    ...{ schema: flagSchema, check, column },
    toColumns: (value: boolean) => written(column, Number(value)),
    fromRow: (row: SubscriberRow): boolean => Boolean(row[column]),
  };
}

/** One word of a list of words, in one column. */
export function choice<const Word extends string>(column: Column, words: readonly Word[]) {
  const find = (value: unknown) => words.find((word) => word === value);
  const check = (value: unknown, name: string): Word => {
    const found = find(value);
    if (found !== undefined) return found;
    throw new InvalidInputError(name, `must be one of ${words.join(', ')}`);
  };
  return {
    ...{ schema: oneOf(words), check },
    ...inColumn<Word>(column),
    fromRow: (row: SubscriberRow) => find(row[column]),
  };
}

/** Distinct names, at least one, in one column as JSON. They have no line breaks. */
export function names(column: Column, { max, maxLength }: { max: number; maxLength: number }) {
  const schema: Schema<readonly string[]> = {
    ...list({ ...textSchema, minLength: 1, maxLength }),
    ...{ minItems: 1, maxItems: max, uniqueItems: true },
  };
  const check = (value: unknown, name: string): readonly string[] => {
    if (!Array.isArray(value) || value.length === 0 || value.length > max) {
      const isTooLong = Array.isArray(value) && value.length > max;
      throw new InvalidInputError(name, `must be null or a list of 1 to ${max} names`, {
        ...(isTooLong && { reason: 'too-many', max }),
      });
    }
    const given = value.map((one: unknown) => {
      const text = checkText(one, name, 1, maxLength, 'names');
      if (!/[\r\n\t]/.test(text)) return text;
      throw new InvalidInputError(name, 'must have names without line breaks and tabs', {
        reason: 'control-characters',
      });
    });
    const repeated = given.find((one, at) => given.indexOf(one) !== at);
    if (repeated === undefined) return given;
    throw new InvalidInputError(name, `must hold each name once, "${repeated}" is repeated`, {
      reason: 'repeated',
      pattern: repeated,
    });
  };
  return { schema, check, ...asJson(column, isTexts) };
}

/** A time in the future, in one column; null for none. */
export function futureTime(column: Column) {
  const schema: Schema<string | null> = nullable({ type: 'string', format: 'date-time' });
  const check = (value: unknown, name: string, _: unknown, now: number): Date | null => {
    if (value === null) return null;
    const time = value instanceof Date ? value : parseIsoDate(value);
    if (time === null || Number.isNaN(time.getTime())) {
      throw new InvalidInputError(
        name,
        'must be null or a time: a Date, or ISO 8601 with its zone, for example 2026-01-31T08:00:00Z',
        { reason: 'not-a-time' },
      );
    }
    if (time.getTime() > now) return time;
    throw new InvalidInputError(name, 'must be in the future', { reason: 'not-in-the-future' });
  };
  return {
    ...{ schema, check, column },
    toColumns: (value: Date | null) => written(column, value === null ? null : value.getTime()),
    fromRow: (row: SubscriberRow): Date | null | undefined => {
      if (row[column] === null) return null;
      const time = new Date(Number(row[column]));
      return Number.isNaN(time.getTime()) ? undefined : time;
    },
    toJson: (value: Date | null): string | null => (value === null ? null : value.toISOString()),
  };
}

/** The same field, which a caller may also set to null. */
export function optional<Value, Shown>(field: GivenField<Value, Shown> & StoredField<Value>) {
  return {
    schema: nullable(field.schema),
    check: (value: unknown, name: string, rules: FieldRules, now: number): Value | null =>
      value === null ? null : field.check(value, name, rules, now),
    column: field.column,
    toColumns: (value: Value | null) =>
      value === null ? written(field.column, null) : field.toColumns(value),
    fromRow: (row: SubscriberRow): Value | null | undefined =>
      row[field.column] === null ? null : field.fromRow(row),
  };
}

/** The same field with a further check, which is asked for values that its own check has accepted. */
export function checkedBy<Value, Field extends Pick<GivenField<Value>, 'check'>>(
  field: Field,
  check: (value: ReturnType<Field['check']>, name: string, rules: FieldRules) => void,
) {
  return {
    ...field,
    check: (value: unknown, name: string, rules: FieldRules, now: number) => {
      const checked = field.check(value, name, rules, now) as ReturnType<Field['check']>;
      check(checked, name, rules);
      return checked;
    },
  };
}

/** The field with a description for the OpenAPI document. */
export function described<Field extends { readonly schema: Schema }>(
  description: string,
  field: Field,
): Field {
  return { ...field, schema: { ...field.schema, description } };
}

// ── Columns ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A value that the column holds as it is. */
export function inColumn<Value extends string | number>(column: Column): StoredField<Value> {
  return {
    column,
    toColumns: (value) => written(column, value),
    fromRow: (row) => row[column] as Value,
  };
}

/** A value that the column holds as JSON. */
export function asJson<Value>(
  column: Column,
  is: (value: unknown) => value is Value,
): StoredField<Value> {
  return {
    column,
    toColumns: (value) => written(column, JSON.stringify(value)),
    fromRow: (row) => {
      const value = parseJson(row[column] as string);
      return is(value) ? value : undefined;
    },
  };
}

/** A secret that the column holds as JSON, sealed; null for null and for an object without entries. */
export function sealed(column: Column) {
  return {
    column,
    isSealed: true as const,
    toColumns: (value: object | null) =>
      written(column, Object.keys(value ?? {}).length === 0 ? null : JSON.stringify(value)),
  };
}

function written(column: Column, value: string | number | null): Partial<SubscriberRow> {
  return { [column]: value };
}

/** @returns undefined for a text that is no JSON */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

// ── Checks of values ────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * @param part of the value, for the error: `names` for "must have names that are text …". Default: the whole value
 * @throws {@link InvalidInputError} unless the value is a text of these lengths that every database can store
 */
export function checkText(
  value: unknown,
  name: string,
  min: number,
  max: number,
  part = '',
  must = part === '' ? 'must be' : `must have ${part} that are`,
): string {
  if (typeof value !== 'string' || value.length < min || value.length > max) {
    throw new InvalidInputError(
      name,
      `${must} text of ${min} to ${max} characters`,
      typeof value === 'string' ? { reason: 'length', min, max } : {},
    );
  }
  if (UNSTORABLE.test(value)) {
    throw new InvalidInputError(name, `${must} text without control characters, in valid Unicode`, {
      reason: 'control-characters',
    });
  }
  return value;
}

/**
 * The refusal of a URL as one of a field; any other error as it is.
 *
 * @param what the beginning of the reason
 */
export function refusedUrl(error: unknown, field = 'url', what = 'is refused'): unknown {
  if (!(error instanceof RecipientRefusedError)) return error;
  const { port, allowed, max, protocols } = error.data;
  return new InvalidInputError(field, `${what}: ${error.explanation}`, {
    // The recipient policy of an application may give a reason of its own.
    reason: error.reason as RefusalCode,
    // The addresses that a name resolves to stay secret: an owner could otherwise map the internal network.
    ...(error.reason === 'port' && { port, allowed }),
    ...(error.reason === 'too-long' && { max }),
    ...(error.reason === 'protocol' && { protocols }),
  });
}

/** True for a whole number from `min` to `max`. */
export function isWhole(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
}

/** True for a list of texts. */
export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** True for an object whose values are texts. */
export function isMapOfTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && isTexts(Object.values(value));
}
