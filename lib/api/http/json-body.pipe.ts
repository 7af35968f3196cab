import type { PipeTransform } from '@nestjs/common';
import { isObject } from '../../common/objects.js';
import { badRequest } from '../problems/errors.js';
import { flag, type Schema, some, text } from '../schema/schema.js';
import { unknownField } from './body-fields.js';
import { type InputField, type InputFields, readInput } from './query.pipe.js';

/** The field for a dry run. */
export const DRY_RUN: InputField = {
  schema: { ...flag, default: false, description: 'True: only counts' },
  read: (given) => (typeof given === 'boolean' ? given : null),
  reason: 'must be true or false',
};

/** The fields of a request that says everything by its path. */
export const NO_FIELDS: InputFields = {};

/**
 * Reads the fields of a body, whatever pipes the application has: unknown fields and wrong types are refused.
 *
 * The handlers declare their bodies `unknown`, so that a global ValidationPipe passes them by: one that strips or
 * converts would otherwise have done so before this pipe sees them.
 */
export class JsonBodyPipe implements PipeTransform<unknown, object> {
  constructor(private readonly fields: InputFields) {}

  transform(body: unknown): object {
    // An empty body arrives as {} on one platform and not at all on the other.
    const given = body === undefined ? {} : body;
    if (!isObject(given)) throw badRequest([{ field: 'body', reason: 'must be a JSON object' }]);
    const unknown = Object.keys(given).filter((name) => !Object.hasOwn(this.fields, name));
    return readInput(this.fields, given, unknown.map(unknownField));
  }
}

/** The schema of a body with these fields. */
export function bodySchema(fields: InputFields): Schema {
  const all = Object.entries(fields);
  return some(
    Object.fromEntries(all.map(([name, { schema }]) => [name, schema])),
    all.filter(([, { isRequired }]) => isRequired).map(([name]) => name),
  );
}

/** A field that is a text. */
export function textField(schema: Schema, reason: string): InputField {
  return { schema, read: (given) => (typeof given === 'string' ? given : null), reason };
}

/** The field for the place where an earlier request has stopped. */
export function cursorField(form: RegExp, maxLength: number): InputField {
  return {
    schema: { ...text, maxLength, description: 'The next of an earlier answer' },
    read: (given) => (typeof given === 'string' && form.test(given) ? given : null),
    reason: 'must be the "next" of an earlier answer',
  };
}
