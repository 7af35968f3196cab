import { InvalidInputError } from '../../errors/index.js';
import { valueAtPath } from './value-at-path.js';

const FIELD = /\{([^{}]*)\}/g;

/** The paths that a template such as `/articles/{id}` names. */
export function templateFields(template: string): string[] {
  return Array.from(template.matchAll(FIELD), ([, path]) => path!);
}

/**
 * Fills a template from a row; values cannot leave their place in the URL.
 *
 * @throws {@link InvalidInputError} naming the field that has no value
 */
export function fillTemplate(template: string, row: unknown): string {
  return template.replaceAll(FIELD, (_, path: string) => {
    const value = valueAtPath(row, path);
    if (value === null || value === undefined || value === '' || typeof value === 'object') {
      throw new InvalidInputError('ref', `needs a value for {${path}}, and the row has none`, {
        template,
        path,
      });
    }
    const segment = encodeURIComponent(String(value));
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
