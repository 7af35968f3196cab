import type { PipeTransform } from '@nestjs/common';
import { isIdLike } from '../../common/index.js';
import { isObject } from '../../common/objects.js';
import { parseIsoDate } from '../../common/time-text.js';
import type { RefusalCode } from '../../errors/index.js';
import { integer, oneOf, type Schema, text, time } from '../schema/schema.js';
import { badRequest, type RefusedField } from '../problems/errors.js';

/** A query parameter, or a field of a body: what documents say of it, and how it is read. */
export interface InputField {
  /** Its `default` is what is read where the parameter is left out. */
  readonly schema: Schema;
  /** Returns null for what is refused. Default: a service looks at the value. */
  readonly read?: (given: unknown) => unknown;
  /** The error text, after the name. */
  readonly reason?: string;
  /** Default `invalid`. */
  readonly code?: RefusalCode;
  /** The name of what is read. Default: its own. */
  readonly field?: string;
  readonly isRequired?: boolean;
}

/** The query parameters of a route, or the fields of its body, by name. */
export type InputFields = Readonly<Record<string, InputField>>;

/** Reads the parameters of a route. Others are not looked at: a guard may have its own, for example an API key. */
export class QueryPipe implements PipeTransform<unknown, object> {
  constructor(private readonly parameters: InputFields) {}

  transform(query: unknown): object {
    return readInput(this.parameters, isObject(query) ? query : {});
  }
}

/**
 * Reads values by name.
 *
 * @param others that are already refused
 * @throws a 400 that names every refused one
 */
export function readInput(
  fields: InputFields,
  given: Readonly<Record<string, unknown>>,
  others: readonly RefusedField[] = [],
): object {
  const refused = [...others];
  const result: Record<string, unknown> = {};
  for (const [
    name,
    { schema, read, reason = '', code, field = name, isRequired },
  ] of Object.entries(fields)) {
    const value = given[name];
    const known =
      value === undefined ? schema['default'] : read === undefined ? value : read(value);
    const isMissing = known === undefined && isRequired === true;
    if (read !== undefined && (isMissing || known === null)) {
      refused.push({ field: name, reason, ...(code && { code }) });
    } else if (known !== undefined) result[field] = known;
  }
  const { since, until } = result as { readonly since?: Date; readonly until?: Date };
  if (since !== undefined && until !== undefined && until <= since) {
    refused.push({ field: 'until', reason: 'must be after since', code: 'not-after-since' });
  }
  if (refused.length > 0) throw badRequest(refused);
  return result;
}

/** A whole number from 1 on. */
export function wholeNumber(maximum: number, byDefault: number): InputField {
  return {
    schema: { ...integer, minimum: 1, maximum, default: byDefault },
    read: (given) =>
      typeof given === 'string' && /^[1-9]\d{0,3}$/.test(given) && Number(given) <= maximum
        ? Number(given)
        : null,
    reason: `must be a whole number from 1 to ${maximum}`,
  };
}

/** One of some texts. */
export function choice(values: readonly string[], reason: string, facts: Schema = {}): InputField {
  return {
    schema: { ...oneOf(values), ...facts },
    read: (given) => (values.some((value) => value === given) ? given : null),
    reason,
  };
}

/** The id of something. */
export function idOf(what: string, description = `Id of a ${what}`): InputField {
  return {
    schema: { ...text, minLength: 1, maxLength: 64, description },
    read: (given) => (isIdLike(given) ? given : null),
    reason: `must be the id of a ${what}`,
    field: `${what}Id`,
  };
}

/** A point in time. */
export function moment(description: string): InputField {
  const schema = { ...time, description };
  const reason = 'must be a time in ISO 8601 with its zone, for example 2026-01-31T08:00:00Z';
  return { schema, read: parseIsoDate, reason, code: 'not-a-time' };
}

/** The parameters of a list in pages. @param isPlace tells whether a text may be the `next` of a page */
export function pageOf(isPlace: (given: unknown) => boolean = isIdLike) {
  return {
    limit: wholeNumber(100, 20),
    after: {
      schema: { ...text, minLength: 1, maxLength: 64, description: 'The next of the page before' },
      read: (given: unknown) => (isPlace(given) ? given : null),
      reason: 'must be the "next" of an earlier page',
    },
  } satisfies InputFields;
}
