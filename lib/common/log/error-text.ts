import { types } from 'node:util';

const MAX_LENGTH = 500;

/** Formats an error for one line of a log, without stack, secrets, and the queries and credentials of URLs. */
export function errorText(error: unknown): string {
  const text = isError(error) ? error.message || error.name : error;
  if (typeof text !== 'string') return 'a value was thrown that is not an error';
  return text
    .replaceAll(/\?[^\s"'<>)\]]+/g, '')
    .replaceAll(/\/\/[^\s/@]+@/g, '//')
    .replaceAll(/\b(wh(?:sec|sk)_)[\w+/=-]+/g, '$1…')
    .replaceAll(/\s+/g, ' ')
    .slice(0, MAX_LENGTH);
}

/**
 * Returns only the frames of an error's stack, for a log. A full stack repeats the unredacted messages of the error and
 * its causes; use {@link errorText} for the message.
 */
export function stackFrames(error: unknown): string | undefined {
  if (!isError(error) || typeof error.stack !== 'string') return undefined;
  // The message comes first and may have lines that look like frames.
  const message = String(error.message);
  const at = message === '' ? -1 : error.stack.indexOf(message);
  const rest = at === -1 ? error.stack : error.stack.slice(at + message.length);
  const frames = rest.split('\n').filter((line) => /^\s+at \S/.test(line));
  return frames.length === 0 ? undefined : frames.join('\n');
}

/** In Jest, errors of Node itself are of another realm than the application's. */
function isError(error: unknown): error is Error {
  return error instanceof Error || types.isNativeError(error);
}

const SHOWN_NAMES = 20;

/** Names for an error's text: the first twenty, and how many more there are. */
export function shownNames(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const more = names.length > SHOWN_NAMES ? ` and ${names.length - SHOWN_NAMES} more` : '';
  return names.slice(0, SHOWN_NAMES).join(', ') + more;
}
