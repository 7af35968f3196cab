import { within } from './within.js';

/**
 * What the server says.
 *
 * @throws Error when it says nothing for so many milliseconds
 */
export function answeredWithin<Value>(
  milliseconds: number,
  answer: Promise<Value>,
): Promise<Value> {
  return within(milliseconds, answer, () => {
    throw new Error(`no answer within ${milliseconds} ms`);
  });
}
