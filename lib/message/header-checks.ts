import { isPlainObject } from '../common/objects.js';
import { InvalidInputError, type RefusalCode } from '../errors/index.js';

const MAX_HEADERS = 10;
const MAX_HEADER_BYTES = 1024;
// RFC 9110, section 5.6.2.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// Without leading or trailing blanks, which the wire would drop.
const PRINTABLE = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/;
const RESERVED =
  /^(?:host|content-.*|transfer-encoding|connection|keep-alive|te|trailer|upgrade|http2-settings|expect|proxy-.*|user-agent|webhook-.*|hook-.*)$/i;
const NOT_PRINTABLE = 'must be printable ASCII without blanks at either end';
const SET_BY_US = 'is set by the library or the protocol and cannot be replaced';

/**
 * Checks the extra headers of a message: at most 10, each a valid name with a value of printable ASCII, of 1 KiB
 * together, and none that belongs to the protocol or to the library. They are sent as they are, so nothing is repaired.
 *
 * @throws {@link InvalidInputError} for the field `headers`, naming the header but not its value
 */
export function checkHeaders(
  headers: unknown,
): asserts headers is Readonly<Record<string, string>> {
  // A Map or the Headers of fetch would pass as an object without entries.
  if (!isPlainObject(headers)) {
    throw new InvalidInputError('headers', 'must be a plain object of names and values');
  }
  const entries: [string, unknown][] = Object.entries(headers);
  if (entries.length > MAX_HEADERS) {
    throw new InvalidInputError('headers', `must be at most ${MAX_HEADERS}`);
  }
  const names = new Set<string>();
  for (const [name, value] of entries) {
    const problem =
      problemOf(name, value) ?? (names.has(name.toLowerCase()) ? 'is given twice' : null);
    if (problem !== null) {
      throw new InvalidInputError('headers', `are refused: ${JSON.stringify(name)} ${problem}`, {
        header: name,
      });
    }
    names.add(name.toLowerCase());
  }
}

function problemOf(name: string, value: unknown): string | null {
  if (!isHeaderName(name)) return 'is not a valid header name';
  if (RESERVED.test(name) || /^cookie$/i.test(name)) return SET_BY_US;
  if (typeof value !== 'string') return 'must be text';
  if (name.length + value.length > MAX_HEADER_BYTES)
    return `is longer than ${MAX_HEADER_BYTES} bytes`;
  if (!PRINTABLE.test(value)) return NOT_PRINTABLE;
  return null;
}

/** True for a token of RFC 9110. */
export function isHeaderName(name: string): boolean {
  // `__proto__` is a name like any other, but for JavaScript: assigned, it would vanish.
  return TOKEN.test(name) && name !== '__proto__';
}

/**
 * Tells what is wrong with a header that an endpoint is to get with each request. Tracing is refused as well: the header
 * of a message or of the tracing has this name.
 *
 * @param name one that {@link isHeaderName} accepts
 * @returns null when nothing is wrong
 */
export function endpointHeaderProblem(
  name: string,
  value: unknown,
): { readonly reason: RefusalCode; readonly text: string } | null {
  if (RESERVED.test(name) || /^trace(?:parent|state)$/i.test(name)) {
    return { reason: 'reserved-header', text: SET_BY_US };
  }
  if (typeof value !== 'string' || value === '') {
    return { reason: 'header-value', text: 'must have a text that is not empty' };
  }
  return PRINTABLE.test(value) ? null : { reason: 'header-value', text: NOT_PRINTABLE };
}
