import { InvalidInputError } from '../../errors/index.js';
import type { RequestData } from '../../event/index.js';

/**
 * Refuses `undefined` as the data of a message. It is nearly always a mistake: an arrow function whose braces were read
 * as a body, or a branch without `return`. Without this check receivers would get an empty object, and nobody would
 * notice.
 *
 * @param setting the name of the function, and `of` its declaration, for the error
 * @throws {@link InvalidInputError}
 */
export function givenData(data: unknown, setting: string, of: string): unknown {
  if (data !== undefined) return data;
  throw new InvalidInputError(
    setting,
    `of ${of} returned undefined. Return what subscribers may see; in an arrow function, an object stands in parentheses: ` +
      `${setting}: (it) => ({ id: it.id }). To send nothing, return {}`,
  );
}

/**
 * Merges what an event adds to all of its messages into the data of one, whose own keys win.
 *
 * @throws {@link InvalidInputError} when the data is not an object to merge into
 */
export function withRequestData(data: unknown, requestData: RequestData | undefined): unknown {
  if (requestData === undefined) return data;
  const added = typeof requestData === 'function' ? requestData() : requestData;
  if (data === undefined) return added;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new InvalidInputError('data', 'must be an object when the event has requestData');
  }
  return { ...added, ...data };
}

/**
 * The value at a dotted path; undefined where the path leads nowhere. Of a lazy relation, the rows that it has loaded.
 */
export function valueAtPath(row: unknown, path: string): unknown {
  let value = row;
  for (const key of path.split('.')) {
    if (
      typeof value !== 'object' ||
      value === null ||
      key === 'constructor' ||
      key === '__proto__'
    ) {
      return undefined;
    }
    const holder = value as Readonly<Record<string, unknown>>;
    // TypeORM keeps the loaded rows of a lazy relation in this property, beside the getter that returns a promise.
    const loaded = `__${key}__`;
    value = Object.hasOwn(holder, loaded) ? holder[loaded] : holder[key];
  }
  return value;
}

const FIELD = /\{([^{}]*)\}/g;

/** The paths in a template: `['id']` for `/articles/{id}`. */
export function templateFields(template: string): string[] {
  return Array.from(template.matchAll(FIELD), ([, path]) => path!);
}

/**
 * Fills a template of an address from a row; values cannot leave their place in the URL.
 *
 * @throws {@link InvalidInputError} naming the field that has no value
 */
export function fillTemplate(template: string, row: unknown): string {
  return filled('ref', template, row, (value, path) => {
    const segment = encodeURIComponent(value);
    // A URL parser would take these for steps through the path, encoded or not.
    if (segment === '.' || segment === '..') {
      throw new InvalidInputError('ref', `cannot hold "${segment}" at {${path}}`, {
        template,
        path,
      });
    }
    return segment;
  });
}

/** Fills a template of a subject from a row. @throws {@link InvalidInputError} naming the field that has no value */
export function fillSubject(template: string, row: unknown): string {
  return filled('subject', template, row, (value) => value);
}

function filled(
  setting: 'ref' | 'subject',
  template: string,
  row: unknown,
  write: (value: string, path: string) => string,
): string {
  return template.replaceAll(FIELD, (_, path: string) => {
    const value = valueAtPath(row, path);
    if (value === null || value === undefined || value === '' || typeof value === 'object') {
      throw new InvalidInputError(
        setting,
        `needs a value for {${path}}, and the row has none. Fill it before the event is sent, or make ${setting} a function that returns null for such rows`,
        {
          template,
          path,
        },
      );
    }
    return write(String(value), path);
  });
}
