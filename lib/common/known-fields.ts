import { InvalidInputError } from '../errors/index.js';

/** Refuses fields of other names: one that is misspelled would have no effect. @throws {@link InvalidInputError} */
export function checkKnownFields(fields: object, names: readonly string[]): void {
  const unknown = Object.keys(fields).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new InvalidInputError(unknown, `is unknown. Valid fields: ${names.join(', ')}`);
}
