/** Most characters that are stored. */
export const MAX_TRACESTATE = 512;
const LONG_MEMBER = 128;

/**
 * Shortens a `tracestate` by whole members: those that are long first, then the last ones, which are the oldest.
 *
 * @returns null when nothing is left
 * @see https://www.w3.org/TR/trace-context/#tracestate-limits
 */
export function boundedTracestate(tracestate: string | null): string | null {
  // Of the printable characters of ASCII; anything else would be no header.
  if (tracestate === null || !/^[\x20-\x7e]+$/.test(tracestate)) return null;
  const members = tracestate.split(',');
  const length = () => members.join(',').length;
  for (let at = members.length - 1; at >= 0 && length() > MAX_TRACESTATE; at--) {
    if (members[at]!.length > LONG_MEMBER) members.splice(at, 1);
  }
  while (length() > MAX_TRACESTATE) members.pop();
  return members.join(',') || null;
}
