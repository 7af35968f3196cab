import { InvalidInputError } from '../../errors/index.js';

/**
 * Refuses the data that a function of a declaration has made when it is nothing: an arrow function whose braces stand for
 * a body, or a case without a `return`. Receivers would get an empty object, and nobody would notice.
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
