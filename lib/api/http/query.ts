import { isIdLike } from '../../common/index.js';
import { isObject } from '../../common/objects.js';
import { parseIsoDate } from '../../common/time.js';
import type { RefusalCode } from '../../errors/index.js';
import { integer, oneOf, type Schema, text, time } from '../../common/json-schema.js';
import { badRequest, type RefusedField } from '../problems/problem.js';
import { NO_MOMENT, NOT_AFTER_SINCE } from './validators.js';

/** A query parameter: its schema for documents, and the function that reads it. */
export interface QueryParameter {
  /** The schema. Its `default` is the value when the parameter is left out. */
  readonly schema: Schema;
  /** Reads the given value. Returns null when it is refused. */
  readonly read: (given: unknown) => unknown;
  readonly reason: string;
  /** Default `invalid`. */
  readonly code?: RefusalCode;
  /** The name of the field in the result. Default: the name of the parameter. */
  readonly field?: string;
}

export type QueryParameters = Readonly<Record<string, QueryParameter>>;

/**
 * Reads the parameters of a route, and refuses all others, since a misspelt filter would otherwise filter nothing.
 *
 * @param settings names the parameters that guards of the application read, for example an API key
 */
export function readQuery<Query extends object>(
  query: unknown,
  parameters: QueryParameters,
  settings: { readonly queryParameters: readonly string[] },
): Query {
  const given = isObject(query) ? query : {};
  const refused: RefusedField[] = Object.keys(given)
    .filter((name) => !Object.hasOwn(parameters, name) && !settings.queryParameters.includes(name))
    .map((name) => unknownParameter(name, parameters));
  const result: Record<string, unknown> = {};
  for (const [name, { schema, read, reason, code, field = name }] of Object.entries(parameters)) {
    const value = given[name] === undefined ? schema['default'] : read(given[name]);
    if (value === null) refused.push({ field: name, reason, ...(code && { code }) });
    else if (value !== undefined) result[field] = value;
  }
  const { since, until } = result as { readonly since?: Date; readonly until?: Date };
  if (since !== undefined && until !== undefined && until <= since) {
    refused.push(NOT_AFTER_SINCE);
  }
  if (refused.length > 0) throw badRequest(refused);
  return result as Query;
}

function unknownParameter(field: string, parameters: QueryParameters): RefusedField {
  const known = Object.keys(parameters).join(', ');
  return { field, reason: `is not a known parameter; there are ${known}`, code: 'unknown-field' };
}

export function wholeNumber(maximum: number, byDefault: number): QueryParameter {
  return {
    schema: { ...integer, minimum: 1, maximum, default: byDefault },
    read: (given) =>
      typeof given === 'string' && /^[1-9]\d{0,3}$/.test(given) && Number(given) <= maximum
        ? Number(given)
        : null,
    reason: `must be a whole number from 1 to ${maximum}`,
  };
}

export function choice(
  values: readonly string[],
  reason: string,
  facts: Schema = {},
): QueryParameter {
  return {
    schema: { ...oneOf(values), ...facts },
    read: (given) => (values.some((value) => value === given) ? given : null),
    reason,
  };
}

export function idOf(what: string, description = `Id of a ${what}`): QueryParameter {
  return {
    schema: { ...text, minLength: 1, maxLength: 64, description },
    read: (given) => (isIdLike(given) ? given : null),
    reason: `must be the id of a ${what}`,
    field: `${what}Id`,
  };
}

export function moment(description: string): QueryParameter {
  const schema = { ...time, description };
  return { schema, read: parseIsoDate, reason: NO_MOMENT, code: 'not-a-time' };
}

/** The parameters of a list in pages. @param isNext tells whether a text may be the `next` of a page */
export function pageOf(isNext: (given: unknown) => boolean = isIdLike) {
  return {
    limit: wholeNumber(100, 20),
    after: {
      schema: { ...text, minLength: 1, maxLength: 64, description: 'The next of the page before' },
      read: (given: unknown) => (isNext(given) ? given : null),
      reason: 'must be the "next" of an earlier page',
    },
  } satisfies QueryParameters;
}
