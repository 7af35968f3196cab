/** Problems that the API answers with, by their code. */
export const problems = {
  forbidden: 'You are not allowed to do this.',
  'endpoint-unverified': 'The endpoint has not confirmed yet that it accepts webhooks.',
  'delivery-under-way': 'An attempt of this delivery is under way. Try again in a moment.',
  'delivery-resent': 'It was resent within the last minute. Try again in a minute.',
  'delivery-finished': 'This delivery has ended, so it cannot be cancelled.',
  'message-expunged': 'The body is no longer stored, so it cannot be sent.',
  'subscriber-disabled': 'The endpoint is disabled, has expired or was removed.',
  'request-under-way': 'Your earlier request is still running. Try again in a moment.',
  'no-encryption-key': 'There is no encryption key. Set one in the options of the application.',
  'precondition-failed':
    'Somebody has changed the endpoint meanwhile. Reload the page, and try again.',
  'body-too-large': 'The text is too long.',
  'idempotency-key-reused': 'This was saved already, with the values that you had entered first.',
  'no-delivery-log': 'Deliveries are not recorded here.',
  unavailable: 'This is not possible at present. Try again later.',
} as const;

/** Problems with a number or a time. */
export const limits = {
  'subscriber-limit': (count: string) =>
    `You have ${count} endpoints, which is the maximum. Change or delete one of them.`,
  fault: (time: string) =>
    `The server had a fault on ${time}. Try again. If it happens again, tell the support of this application this time.`,
  tooMany: (seconds: string) => `Too many requests: possible again in ${seconds} s.`,
};

/** The values that a text of {@link refusals} names. */
type Named = Readonly<Record<string, string>>;

/** Why a field is refused, by the code of the API. */
export const refusals = {
  invalid: () => 'This value is not possible here.',
  // Any field
  required: () => 'Enter a value.',
  'unknown-field': () => 'The application does not know this field.',
  length: ({ min, max }: Named) => `Enter ${min} to ${max} characters.`,
  'too-long': ({ max }: Named) => `Enter at most ${max} characters.`,
  'too-deep': ({ max }: Named) => `Use at most ${max} levels.`,
  'too-many': ({ max }: Named) => `Enter at most ${max}.`,
  repeated: ({ pattern }: Named) => `${pattern} is listed twice.`,
  'control-characters': () => 'Remove invisible characters.',
  'not-a-time': () => 'Enter a time.',
  'not-in-the-past': () => 'Choose a time in the past.',
  'not-in-the-future': () => 'Choose a time in the future.',
  'not-after-since': () => 'The end must be after the beginning.',
  // The URL
  protocol: ({ protocols }: Named) =>
    protocols === 'https'
      ? 'It must begin with https://.'
      : 'It must begin with https:// or http:// and a host.',
  port: ({ port, allowed }: Named) =>
    allowed === undefined
      ? `Port ${port} is not for webhooks.`
      : `Port ${port} is not allowed. Allowed are ${allowed}.`,
  credentials: () => 'Remove the user name and the password.',
  'malformed-url': () => 'This is not a URL.',
  'forbidden-character': () => 'Remove blanks, backslashes and invisible characters.',
  'host-limit': ({ limit }: Named) =>
    `You have ${limit} endpoints on this host, which is the maximum. Change or delete one of them.`,
  // Patterns of events
  'malformed-pattern': () =>
    'Names of events, or patterns such as article.*: letters, digits, _ and - between dots, or * for a whole part.',
  'too-many-segments': ({ max }: Named) => `At most ${max} parts between dots.`,
  'unknown-event': ({ pattern }: Named) => `There is no event ${pattern}.`,
  'hidden-event': ({ pattern }: Named) => `${pattern} cannot be chosen here.`,
  'malformed-template': ({ position }: Named) =>
    `The template has a mistake at character ${position}: {{ and }} must enclose a path such as data.title.`,
  'not-json': () => 'The template is not valid JSON.',
  'not-offered': () => 'This application does not offer this.',
  excluded: ({ by }: Named) => `This cannot be used together with ${by}.`,
  'no-changes': ({ events }: Named) =>
    `These events do not tell which fields have changed: ${events}. Leave them out.`,
  'reserved-header': ({ header }: Named) =>
    `${header} is set for each request, and cannot be replaced.`,
  'header-value': ({ header }: Named) =>
    `Enter a value for ${header}: letters without accents, digits and signs, without a space at either end.`,
  'other-origin': () =>
    'The URL leads to another server: enter these values again, or remove them.',
  // A filter
  empty: () => 'The condition is empty.',
  'unknown-path': ({ path }: Named) => `The data of these events has no field ${path}.`,
  'unknown-operator': ({ path, meant }: Named) =>
    meant === undefined
      ? `${path} is not a comparison here.`
      : `${path} is not a comparison. Did you mean ${meant}?`,
  'wrong-value': ({ path }: Named) =>
    path === ''
      ? 'This condition cannot be used.'
      : `${path} has a value that it cannot be compared with.`,
  'never-holds': ({ path }: Named) =>
    `${path} can never hold: the field has values of another kind.`,
  transition: () =>
    'A comparison with the value before the change, such as nowEq, is not possible here.',
  'unchecked-paths': ({ paths }: Named) =>
    `It cannot be checked whether the events have the field ${paths}. A field that is missing has no value.`,
  // The others
  'too-high': ({ max }: Named) => `At most ${max} in a minute.`,
  'in-use': () => 'This secret is in use already.',
  'rotated-too-often': ({ max, next }: Named) =>
    `${max} secrets sign already. One of them ends ${next}: wait until then, or do not keep the old secrets.`,
};

/** The values that each field takes, for a refusal without a text in {@link refusals}. */
export const fields = {
  url: 'Webhooks cannot be sent to this address. Enter an address that can be reached from the internet.',
  filter: 'This condition cannot be used.',
  changed: 'Enter names of fields, at most 50, or leave it empty.',
  rateLimit: 'Enter a whole number from 1 to 1,000,000.',
  headers: 'Enter a name such as X-Api-Key, of up to 128 letters, digits and hyphens.',
  timeout: 'Enter a number from 1 to 30, or leave it empty.',
  token: 'Enter letters without accents, digits and signs, without spaces.',
  username: 'Enter a text in one line, without a colon.',
  password: 'Enter a text in one line.',
  tokenUrl: 'Tokens cannot be fetched from this address. Enter an address that can be reached.',
  clientId: 'Enter a text in one line.',
  clientSecret: 'Enter a text in one line.',
  scope: 'Enter names with one space between them.',
  fields: 'Enter names of fields, at most 50.',
  holdFor: 'Enter a number above 0, and at most 14 days, or leave it empty.',
  host: 'Enter a host as in a URL, with its port.',
  id: 'This is not an id.',
};

/** A reason of the application's own, as a sentence part. */
export const otherRefusal = (reason: string) => `${reason[0]!.toUpperCase()}${reason.slice(1)}.`;
