import { isPlainObject } from '../../common/objects.js';
import {
  all,
  map,
  nullable,
  oneOf,
  text as textSchema,
  type Schema,
} from '../../common/json-schema.js';
import { InvalidInputError, type RefusalData } from '../../errors/index.js';
import { endpointHeaderProblem, isHeaderName } from '../../message/header-checks.js';
import { type EndpointAuth, withoutQuery } from '../../message/recipient.js';
import { checkText, type FieldRules, isMapOfTexts, parseJson, refusedUrl } from './field-kinds.js';
import { originOf } from './origin.js';
import type { EndpointAuthChange, Subscriber, SubscriberUpdate } from './subscriber.js';

const MAX_HEADERS = 20;
const MAX_HEADERS_BYTES = 4096;
const MAX_HEADER_NAME_LENGTH = 128;
const MAX_HEADER_VALUE_LENGTH = MAX_HEADERS_BYTES - MAX_HEADER_NAME_LENGTH;

type Headers = Subscriber['headers'];
type HeadersChange = NonNullable<SubscriberUpdate['headers']>;

// ── Headers ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

export const HEADERS_SCHEMA: Schema<HeadersChange> = {
  ...map(nullable<string>({ ...textSchema, minLength: 1, maxLength: MAX_HEADER_VALUE_LENGTH })),
  propertyNames: {
    minLength: 1,
    maxLength: MAX_HEADER_NAME_LENGTH,
    pattern: "^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$",
  },
  maxProperties: MAX_HEADERS,
  description: `Headers that requests carry, up to ${MAX_HEADERS_BYTES} bytes together; null removes one, and names that are left out stay as they are. Answers show the names alone`,
  example: { 'X-Api-Key': 'a key' },
};

/** @throws {@link InvalidInputError} for `headers`, which never holds a value that was given */
export function checkEndpointHeaders(value: unknown, field: string): HeadersChange {
  if (!isPlainObject(value)) {
    throw new InvalidInputError(field, 'must be an object of names and values');
  }
  const names = new Set<string>();
  for (const [name, text] of Object.entries(value)) {
    // A name that is none may be a whole line, with its value.
    if (!isHeaderName(name) || name.length > MAX_HEADER_NAME_LENGTH) {
      throw new InvalidInputError(
        field,
        `must have names of up to ${MAX_HEADER_NAME_LENGTH} characters that are tokens of RFC 9110, such as X-Api-Key`,
      );
    }
    checkHeader(name, text, names, field);
    names.add(name.toLowerCase());
  }
  return value as HeadersChange;
}

/** @param before the names of the other headers, in lower case */
function checkHeader(
  name: string,
  value: unknown,
  before: ReadonlySet<string>,
  field: string,
): void {
  const refused = (text: string, data: RefusalData) =>
    new InvalidInputError(field, `are refused: "${name}" ${text}`, { header: name, ...data });
  if (before.has(name.toLowerCase())) {
    throw refused('is given twice', { reason: 'repeated', pattern: name });
  }
  if (value === null) return;
  const problem = endpointHeaderProblem(name, value);
  if (problem !== null) throw refused(problem.text, { reason: problem.reason });
  if (String(value).length > MAX_HEADER_VALUE_LENGTH) {
    const max = MAX_HEADER_VALUE_LENGTH;
    throw refused(`must have a text of up to ${max} characters`, { reason: 'too-long', max });
  }
}

/** The headers after a change; names that differ in case alone are the same. @throws {@link InvalidInputError} */
export function mergedHeaders(change: HeadersChange, before: Headers, field: string): Headers {
  const merged = new Map<string, readonly [name: string, value: string | null]>();
  for (const entry of [...Object.entries(before), ...Object.entries(change)]) {
    merged.set(entry[0].toLowerCase(), entry);
  }
  const headers = [...merged.values()].filter(([, value]) => value !== null) as [string, string][];
  if (headers.length > MAX_HEADERS) {
    throw new InvalidInputError(field, `must be at most ${MAX_HEADERS}`, {
      reason: 'too-many',
      max: MAX_HEADERS,
    });
  }
  const bytes = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (bytes > MAX_HEADERS_BYTES) {
    throw new InvalidInputError(
      field,
      `must have up to ${MAX_HEADERS_BYTES} bytes of names and values together, and have ${bytes}`,
      { reason: 'too-long', max: MAX_HEADERS_BYTES },
    );
  }
  return Object.fromEntries(headers);
}

export function headersFromJson(stored: string | null): Headers | undefined {
  if (stored === null) return {};
  const value = parseJson(stored);
  return isMapOfTexts(value) ? value : undefined;
}

// ── Credentials ─────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Member {
  readonly max: number;
  /** What the text must be, and the words for it. Default: any text without control characters. */
  readonly form?: readonly [pattern: RegExp, words: string];
  readonly optional?: true;
}

type Members = Readonly<Record<string, Member>>;

const IN_ONE_LINE = [/^[^\0-\x1f\x7f]*$/, 'text in one line'] as const;
const VISIBLE = [/^[\x21-\x7e]+$/, 'printable ASCII without blanks'] as const;

const MEMBERS: {
  readonly [Type in EndpointAuth['type']]: Readonly<
    Record<Exclude<keyof Extract<EndpointAuth, { type: Type }>, 'type'>, Member>
  >;
} = {
  bearer: { token: { max: 4096, form: VISIBLE } },
  basic: {
    username: { max: 255, form: [/^[^:\0-\x1f\x7f]*$/, 'text in one line, without a colon'] },
    password: { max: 1024, form: IN_ONE_LINE },
  },
  oauth2: {
    tokenUrl: { max: 2048 },
    clientId: { max: 255, form: IN_ONE_LINE },
    clientSecret: { max: 1024, form: IN_ONE_LINE },
    scope: {
      max: 1024,
      form: [
        /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/,
        'scopes with one blank between them',
      ],
      optional: true,
    },
  },
};
const TYPES = Object.keys(MEMBERS) as EndpointAuth['type'][];

export const AUTH_SCHEMA = nullable<EndpointAuthChange>({
  type: 'object',
  oneOf: TYPES.map((type) => ({
    type: 'object',
    properties: {
      type: { type: 'string', enum: [type] },
      ...Object.fromEntries(
        Object.entries(MEMBERS[type] as Members).map(([name, { max, optional }]) => {
          const schema = {
            ...textSchema,
            ...(name === 'tokenUrl' && { format: 'uri' }),
            ...{ minLength: 1, maxLength: max },
          };
          return [name, optional ? nullable(schema) : schema];
        }),
      ),
    },
    required: ['type'],
    additionalProperties: false,
  })),
  description:
    'What requests authenticate themselves with. A change of the same type keeps the members that it leaves out; null: nothing. Answers show no token, name or password',
});

export const SHOWN_AUTH_SCHEMA = nullable({
  ...all({ type: oneOf(TYPES) }, { tokenUrl: textSchema, clientId: textSchema, scope: textSchema }),
  description: 'Without what is secret; of oauth2 with the token endpoint, without its query',
});

/** The credentials as answers show them. */
export type ShownAuth =
  | { readonly type: 'bearer' | 'basic' }
  | {
      readonly type: 'oauth2';
      readonly tokenUrl: string;
      readonly clientId: string;
      readonly scope?: string;
    };

export function shownAuth(auth: EndpointAuth | null): ShownAuth | null {
  if (auth === null || auth.type !== 'oauth2') return auth && { type: auth.type };
  const { type, tokenUrl, clientId, scope } = auth;
  return {
    type,
    tokenUrl: withoutQuery(tokenUrl),
    clientId,
    ...(scope !== undefined && { scope }),
  };
}

/** @throws {@link InvalidInputError} for `auth`, which never holds a value that was given */
export function checkAuth(
  value: unknown,
  field: string,
  rules: Pick<FieldRules, 'checkUrl'>,
): EndpointAuthChange | null {
  if (value === null) return null;
  const members = isPlainObject(value) && membersOf(value['type']);
  if (!members) {
    throw new InvalidInputError(
      field,
      `must be null, or an object whose type is one of ${TYPES.join(', ')}`,
    );
  }
  const { type, ...given } = value;
  const named = Object.entries(given).filter(([, one]) => one !== undefined);
  if (named.some(([name]) => !Object.hasOwn(members, name))) {
    throw new InvalidInputError(
      field,
      `of the type ${String(type)} must have no other members than type, ${Object.keys(members).join(', ')}`,
    );
  }
  for (const [name, one] of named) {
    try {
      checkMember([name, one], members[name]!, field, rules);
    } catch (error) {
      throw ofMember(name, error);
    }
  }
  return { type, ...Object.fromEntries(named) } as EndpointAuthChange;
}

function checkMember(
  [name, value]: readonly [name: string, value: unknown],
  { max, form, optional }: Member,
  field: string,
  rules: Pick<FieldRules, 'checkUrl'>,
): void {
  if (optional && value === null) return;
  const text = checkText(value, field, 1, max, undefined, `has a ${name} that must be`);
  if (form?.[0].test(text) === false) {
    throw new InvalidInputError(field, `has a ${name} that must be ${form[1]}`);
  }
  if (name === 'tokenUrl') checkTokenUrl(text, field, rules);
}

function checkTokenUrl(url: string, field: string, rules: Pick<FieldRules, 'checkUrl'>): void {
  try {
    rules.checkUrl(url);
  } catch (error) {
    throw refusedTokenUrl(error, field);
  }
}

/** The refusal of a token endpoint as one of `auth`; any other error as it is. */
export function refusedTokenUrl(error: unknown, field = 'auth'): unknown {
  return ofMember('tokenUrl', refusedUrl(error, field, 'has a tokenUrl that is refused'));
}

/** A refusal of `auth` that says which member is refused; any other error as it is. */
function ofMember(member: string, error: unknown): unknown {
  if (!(error instanceof InvalidInputError)) return error;
  return new InvalidInputError(error.field, error.reason, { ...error.data, member });
}

/** The credentials after a change. @throws {@link InvalidInputError} when a member is missing then */
export function mergedAuth(
  change: EndpointAuthChange | null,
  before: EndpointAuth | null,
  field: string,
): EndpointAuth | null {
  if (change === null) return null;
  const known = before?.type === change.type ? keptMembers(before, change) : {};
  const merged = Object.fromEntries(
    Object.entries({ ...known, ...change }).filter(([, one]) => one !== null),
  );
  const members = Object.entries(MEMBERS[change.type] as Members);
  const missing = members.filter(([name, { optional }]) => !optional && merged[name] === undefined);
  if (missing.length > 0) {
    const names = missing.map(([name]) => name).join(', ');
    throw new InvalidInputError(field, `of the type ${change.type} must have ${names} as well`, {
      reason: 'required',
      member: missing[0]![0],
    });
  }
  return merged as unknown as EndpointAuth;
}

/** The members of each type that answers do not show. */
const HIDDEN_MEMBERS: Readonly<Record<EndpointAuth['type'], readonly string[]>> = {
  bearer: ['token'],
  basic: ['username', 'password'],
  oauth2: ['clientSecret'],
};

/**
 * A change of `url` to another origin has to name what is hidden, for the same reason as {@link keptMembers}.
 *
 * @throws {@link InvalidInputError} for `headers` and `auth` that the change would keep
 */
export function checkKept(
  { url, headers = {}, auth }: Pick<SubscriberUpdate, 'url' | 'headers' | 'auth'>,
  before: Pick<Subscriber, 'url' | 'headers' | 'auth'>,
): void {
  if (url === undefined || originOf(url) === originOf(before.url)) return;
  const given = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const header = Object.keys(before.headers).find((name) => !given.has(name.toLowerCase()));
  const member = keptMember(auth, before.auth);
  InvalidInputError.throwAll([
    () => {
      if (header === undefined) return;
      throw new InvalidInputError(
        'headers',
        `must have "${header}" with its value, or with null to remove it, because url has another origin and the stored value would be sent there`,
        { reason: 'other-origin', header },
      );
    },
    () => {
      if (member === undefined) return;
      throw new InvalidInputError(
        'auth',
        `must have ${member}, or be null to remove it, because url has another origin and the stored credentials would be sent there`,
        { reason: 'other-origin', member },
      );
    },
  ]);
}

/** A hidden member that a change of `auth` keeps; undefined for none. */
function keptMember(
  change: EndpointAuthChange | null | undefined,
  before: EndpointAuth | null,
): string | undefined {
  if (before === null || change === null) return undefined;
  // A change of the type has to name all members.
  if (change !== undefined && change.type !== before.type) return undefined;
  return HIDDEN_MEMBERS[before.type].find((name) => !Object.hasOwn(change ?? {}, name));
}

/** A change of the token endpoint has to name the secret: a caller who cannot read it could else have it sent to itself. */
function keptMembers(before: EndpointAuth, change: EndpointAuthChange): object {
  const isMoved =
    before.type === 'oauth2' &&
    change.type === 'oauth2' &&
    change.tokenUrl !== undefined &&
    change.tokenUrl !== before.tokenUrl;
  return isMoved ? { ...before, clientSecret: undefined } : before;
}

export function authFromJson(stored: string | null): EndpointAuth | null | undefined {
  if (stored === null) return null;
  const value = parseJson(stored);
  if (!isMapOfTexts(value)) return undefined;
  const members = membersOf(value['type']);
  const isWhole =
    members !== undefined &&
    Object.entries(members).every(([name, { optional }]) => optional || name in value);
  return isWhole ? (value as unknown as EndpointAuth) : undefined;
}

function membersOf(type: unknown): Members | undefined {
  return TYPES.some((one) => one === type) ? MEMBERS[type as EndpointAuth['type']] : undefined;
}

/** @throws {@link InvalidInputError} for headers and credentials that set the same header */
export function checkCredentials({
  headers = {},
  auth = null,
}: Partial<Pick<Subscriber, 'headers' | 'auth'>>): void {
  if (auth === null || !Object.keys(headers).some((name) => /^authorization$/i.test(name))) return;
  throw new InvalidInputError(
    'headers',
    'must not name Authorization while auth is set: auth makes that header. Leave one of the two out',
    { reason: 'excluded', by: 'auth', header: 'Authorization' },
  );
}
