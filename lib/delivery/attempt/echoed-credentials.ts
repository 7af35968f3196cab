import type { Recipient } from '../../message/recipient.js';

const HIDDEN = '***';
/** Characters. A shorter value is hidden where it stands alone, not within longer words. */
const DISTINCT = 8;
const REGEXP_SYNTAX = /[\\^$.*+?()[\]{}|/-]/g;

/** Forms in which programs repeat a text: as it is, and as common encoders of JSON, HTML and forms write it. */
const SPELLINGS: readonly ((text: string) => string)[] = [
  (text) => text,
  json,
  (text) => json(text).replaceAll('/', '\\/'),
  (text) => codes(json(text), /[^\0-\x7f]/g),
  (text) => codes(json(text), /[^\0-\x7f]/g).replaceAll('/', '\\/'),
  (text) => codes(json(text), /[<>&]/g),
  (text) => codes(json(text), /[<>&=']/g),
  (text) => codes(json(text).replaceAll('\\"', '"'), /["<>&'+`]|[^\0-\x7f]/g, true),
  form,
  (text) => form(text).replaceAll('+', '%20'),
  (text) => lowerPercents(form(text)),
  (text) => lowerPercents(form(text).replaceAll('+', '%20')),
  (text) => json(json(text)),
  (text) => text.replaceAll('/', '\\/'),
  (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
  html,
  (text) => html(text).replaceAll('&#39;', '&#x27;'),
  // Handlebars and Mustache.
  (text) =>
    html(text).replaceAll('&#39;', '&#x27;').replaceAll('`', '&#x60;').replaceAll('=', '&#x3D;'),
  // Go: html.EscapeString, and html/template with its plus signs.
  (text) => html(text).replaceAll('&quot;', '&#34;'),
  (text) => html(text).replaceAll('&quot;', '&#34;').replaceAll('+', '&#43;'),
];

/** Who was sent a request, with which access tokens, and with which headers of the HTTP client's own. */
export interface SentCredentials {
  readonly recipient: Recipient;
  readonly tokens: readonly string[];
  readonly addedHeaders?: Readonly<Record<string, string>> | undefined;
}

interface Credentials {
  readonly values: readonly string[];
  /** The length of the shortest value. */
  readonly least: number;
  /** The values as an answer may repeat them; made for the first answer that is long enough for one. */
  spelled?: readonly string[];
}

/** Kept for as long as the repository hands out the same object. */
const known = new WeakMap<Recipient, Credentials>();

/**
 * Replaces by `***` what a request authenticated itself with and what signs it, in each form in which an answer may repeat it.
 *
 * @param text bytes, read as Latin-1
 * @param isCut true when the answer goes on: the end of the text may then be the beginning of a credential
 */
export function withoutCredentials(
  text: string,
  { recipient, tokens, addedHeaders }: SentCredentials,
  isCut = false,
): string {
  if (text === '') return text;
  const own = credentialsOf(recipient);
  const isLongEnough = (length: number) => isCut || length <= text.length;
  const added = addedHeaders === undefined ? tokens : [...tokens, ...valuesIn(addedHeaders)];
  // Most answers are shorter than any secret.
  if (!isLongEnough(own.least) && !added.some(({ length }) => isLongEnough(length))) return text;
  const spelled = (own.spelled ??= spellingsOf(own.values));
  const credentials = added.length === 0 ? spelled : [...spellingsOf(added), ...spelled];
  let shown = text;
  for (const credential of credentials) {
    if (!shown.includes(credential)) continue;
    shown =
      credential.length < DISTINCT
        ? shown.replace(alone(credential), HIDDEN)
        : shown.replaceAll(credential, HIDDEN);
  }
  if (!isCut) return shown;
  const begun = Math.max(0, ...credentials.map((credential) => begunAtEnd(shown, credential)));
  return begun === 0 ? shown : shown.slice(0, -begun) + HIDDEN;
}

function credentialsOf(recipient: Recipient): Credentials {
  let credentials = known.get(recipient);
  if (credentials === undefined) {
    const values = valuesOf(recipient).filter((value) => value !== '');
    const least = Math.min(...values.map(({ length }) => length));
    known.set(recipient, (credentials = { values, least }));
  }
  return credentials;
}

/** The longest come first: one may be a part of another. */
function spellingsOf(values: readonly string[]): readonly string[] {
  const spelled = values.flatMap((value) =>
    SPELLINGS.map((spell) => Buffer.from(spell(value)).toString('latin1')),
  );
  return [...new Set(spelled)].sort((one, other) => other.length - one.length);
}

/** Characters at the end of a text with which a credential begins. */
function begunAtEnd(text: string, credential: string): number {
  let length = Math.min(text.length, credential.length - 1);
  while (length > 0 && !text.endsWith(credential.slice(0, length))) length--;
  return length;
}

function alone(credential: string): RegExp {
  const source = credential.replace(REGEXP_SYNTAX, '\\$&');
  return new RegExp(`(?<![A-Za-z0-9])${source}(?![A-Za-z0-9])`, 'g');
}

function valuesOf({ auth, headers = {}, secrets }: Recipient): string[] {
  // An endpoint may know a secret with or without its prefix.
  const values = secrets.flatMap(({ value }) => [value, value.replace(/^wh[a-z]{2,3}_/, '')]);
  values.push(...valuesIn(headers));
  if (auth === undefined || auth === null) return values;
  switch (auth.type) {
    case 'bearer':
      values.push(auth.token);
      break;
    case 'basic':
      values.push(...partsOf(`${auth.username}:${auth.password}`));
      break;
    case 'oauth2':
      values.push(auth.clientSecret);
  }
  return values;
}

function valuesIn(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers)
    .flatMap(([name, value]) =>
      /^authorization$/i.test(name) ? [value, ...credentialIn(value)] : [value],
    )
    .filter((value) => value !== '');
}

/** The credential behind the scheme of a header `Authorization`. */
function credentialIn(header: string): string[] {
  const [, scheme, credential] = /^(\S+) +(.+)$/.exec(header) ?? [];
  if (scheme === undefined || credential === undefined) return [];
  return scheme.toLowerCase() === 'basic'
    ? [credential, ...partsOf(Buffer.from(credential, 'base64').toString())]
    : [credential];
}

/** What is secret of `user:password`. */
function partsOf(pair: string): string[] {
  const at = pair.indexOf(':');
  const parts = [Buffer.from(pair).toString('base64'), pair, pair.slice(0, at), pair.slice(at + 1)];
  return at === -1 ? parts.slice(0, 2) : parts;
}

function json(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function codes(text: string, which: RegExp, areUpper = false): string {
  return text.replace(which, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${areUpper ? code.toUpperCase() : code}`;
  });
}

function form(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

function lowerPercents(text: string): string {
  return text.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase());
}

function html(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
