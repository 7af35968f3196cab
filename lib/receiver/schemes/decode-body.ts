import { type SignedRequest, WebhookRejectedError } from './signed-request.js';

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json$/;
const FORM_TYPE = 'application/x-www-form-urlencoded';

/**
 * Decodes a body by its content type: JSON into its value, a form into nested objects, `text/…` into a text. A body of
 * any other type stays bytes. Without a content type, which happens in queues, a body is parsed if it is JSON, and
 * stays bytes otherwise.
 *
 * @throws {@link WebhookRejectedError} `unreadable-body`
 */
export function decodeBody({ headers, body }: SignedRequest): unknown {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (type === '') return jsonOrBytes(body);
  if (JSON_TYPE.test(type)) return decodeJson(textIn(body));
  if (type === FORM_TYPE) return decodeForm(textIn(body));
  return type.startsWith('text/') ? textIn(body) : body;
}

export function decodeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Without the parser's own words: they quote the body.
    throw new WebhookRejectedError('unreadable-body', 'the body is not valid JSON');
  }
}

function jsonOrBytes(body: Buffer): unknown {
  try {
    return decodeJson(textIn(body));
  } catch {
    return body;
  }
}

function textIn(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new WebhookRejectedError('unreadable-body', 'the body is not valid UTF-8');
  }
}

const MAX_DEPTH = 32;
const NAME = /^([^[\]]+)((?:\[[^[\]]*\])*)$/;

type Branch = { [name: string]: Branch | string | string[] };

/**
 * Reads `application/x-www-form-urlencoded` with nested data in the bracket convention: `data[tags][0]=a` is
 * `{ data: { tags: ['a'] } }`. All values are texts. A name that comes several times, or ends in `[]`, is a list.
 *
 * @throws {@link WebhookRejectedError} `unreadable-body` when names contradict each other or nest more than 32 deep, or
 * when escaped bytes are not UTF-8
 */
export function decodeForm(text: string): unknown {
  checkEscapes(text);
  const root: Branch = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const path = pathOf(name);
    const isList = path.length > 1 && path.at(-1) === '';
    if (isList) path.pop();
    const last = path.pop()!;
    put(branchAt(root, path), last, value, isList);
  }
  return withLists(root, true);
}

function pathOf(name: string): string[] {
  const [, first, rest] = NAME.exec(name) ?? [null, name, ''];
  const path = [first, ...rest.split('[').slice(1)].map((part, index) =>
    index === 0 ? part : part.slice(0, -1),
  );
  // The only name that, assigned, would be more than a property.
  if (path.length > MAX_DEPTH || path.includes('__proto__')) throw contradiction();
  return path;
}

function branchAt(root: Branch, path: readonly string[]): Branch {
  let branch = root;
  for (const name of path) {
    const inner = Object.hasOwn(branch, name) ? branch[name]! : (branch[name] = {});
    if (typeof inner === 'string' || Array.isArray(inner)) throw contradiction();
    branch = inner;
  }
  return branch;
}

/** Refuses escaped bytes that are not UTF-8; `URLSearchParams` would replace them. */
function checkEscapes(text: string): void {
  try {
    for (const [bytes] of text.matchAll(/(?:%[0-9a-f]{2})+/gi)) decodeURIComponent(bytes);
  } catch {
    throw new WebhookRejectedError('unreadable-body', 'the body is not valid UTF-8');
  }
}

function put(branch: Branch, name: string, value: string, isList: boolean): void {
  const before = Object.hasOwn(branch, name) ? branch[name]! : undefined;
  if (before === undefined) branch[name] = isList ? [value] : value;
  else if (typeof before === 'string') branch[name] = [before, value];
  else if (Array.isArray(before)) before.push(value);
  else throw contradiction();
}

/** Objects with the names 0, 1, 2 … are lists, except at the top. */
function withLists(value: Branch | string | string[], isRoot = false): unknown {
  if (typeof value === 'string' || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, withLists(inner)] as const);
  const isList = !isRoot && entries.every(([name], index) => name === String(index));
  return isList ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

function contradiction(): WebhookRejectedError {
  return new WebhookRejectedError('unreadable-body', 'the names of the form cannot be read');
}
