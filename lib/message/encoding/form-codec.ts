import { InvalidInputError } from '../../errors/index.js';

/**
 * Codec of `application/x-www-form-urlencoded`, with nested data in the bracket convention that PHP, Rails and the
 * `qs` package read: `data[tags][0]=a`. Null is written as nothing (`ref=`), empty lists and objects are left out,
 * numbers and booleans are written as in JSON. All values are texts to the receiver: send values that
 * must keep their type as JSON.
 *
 * @throws {@link InvalidInputError} when the body is not an object or list, so that there is no field to name, or has a
 * name that brackets cannot hold
 */
export function encodeForm(body: unknown): string {
  if (typeof body !== 'object' || body === null) {
    throw new InvalidInputError('data', 'must be an object or a list to be sent as a form');
  }
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(body)) append(form, checkedName(name), value);
  return form.toString();
}

function append(form: URLSearchParams, name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    form.append(name, value === null ? '' : String(value));
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    append(form, `${name}[${checkedName(key)}]`, inner);
  }
}

/** Receivers would read the name as another one, or not at all. */
function checkedName(name: string): string {
  if (name !== '' && name !== '__proto__' && !/[[\]]/.test(name)) return name;
  throw new InvalidInputError(
    'data',
    `has the name ${JSON.stringify(name)}, which a form cannot hold; rename it, or send JSON`,
  );
}
