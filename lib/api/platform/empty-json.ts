import type { IncomingMessage } from 'node:http';

const JSON_TYPE = /^application\/json\s*(?:;|$)/i;
const empty = new WeakSet<object>();

/** Takes the type from a request without a body, and remembers that the caller declared it as JSON. */
export function noteEmptyJson(request: IncomingMessage): void {
  if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) return;
  delete request.headers['content-type'];
  empty.add(request);
}

/** Tells whether the body of a request is declared as JSON. @param request the platform's own */
export function isDeclaredAsJson(request: {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly raw?: object;
}): boolean {
  if (JSON_TYPE.test(String(request.headers['content-type'] ?? ''))) return true;
  return request.raw !== undefined && empty.has(request.raw);
}
