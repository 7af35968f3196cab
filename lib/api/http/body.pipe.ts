import { isObject } from '../../common/objects.js';
import { badRequest } from '../problems/errors.js';
import { flag, type Schema, some, text } from '../schema/schema.js';
import { unknownField } from './body-fields.js';
import { type QueryParameter, type QueryParameters, QueryPipe } from './query.pipe.js';

/**
 * Reads the fields of a body, and refuses all others.
 *
 * The handlers declare their bodies `unknown`, so that a global ValidationPipe passes them by: one that strips or
 * converts would otherwise have done so before this pipe sees them.
 */
export class BodyPipe extends QueryPipe {
  override transform(body: unknown): object {
    // An empty body arrives as {} on one platform and not at all on the other.
    const given = body === undefined ? {} : body;
    if (!isObject(given)) throw badRequest([{ field: 'body', reason: 'must be a JSON object' }]);
    const unknown = Object.keys(given).filter((name) => !Object.hasOwn(this.parameters, name));
    return this.read(given, unknown.map(unknownField));
  }
}

export function bodySchema(fields: QueryParameters): Schema {
  const all = Object.entries(fields);
  return some(
    Object.fromEntries(all.map(([name, { schema }]) => [name, schema])),
    all.flatMap(([name, { isRequired }]) => (isRequired === true ? [name] : [])),
  );
}

/** A request that says everything by its path. */
export const NOTHING = {} satisfies QueryParameters;

export const DRY_RUN: QueryParameter = {
  schema: { ...flag, default: false, description: 'True: only counts' },
  read: (given) => (typeof given === 'boolean' ? given : null),
  reason: 'must be true or false',
};

export function textField(schema: Schema, reason: string): QueryParameter {
  return { schema, read: (given) => (typeof given === 'string' ? given : null), reason };
}

/** The place where an earlier request has stopped. */
function cursor(form: RegExp, maxLength: number): QueryParameter {
  return {
    schema: { ...text, maxLength, description: 'The next of an earlier answer' },
    read: (given) => (typeof given === 'string' && form.test(given) ? given : null),
    reason: 'must be the "next" of an earlier answer',
  };
}

/** A data source, and an id in it. */
export const PLACE_CURSOR = cursor(/^\d{1,3}\/[\x21-\x7e]{0,64}$/, 68);
/** A data source, and time and id of a message in it. */
export const MESSAGE_CURSOR = cursor(/^\d{1,3}\/(?:\d{1,15}:[\x21-\x7e]{1,64})?$/, 84);
