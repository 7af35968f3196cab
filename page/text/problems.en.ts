/** Problems that the API answers with, by their code. */
export const problems = {
  forbidden: 'You may not do this.',
  'endpoint-unverified': 'The endpoint has not confirmed yet that it wants webhooks.',
  'delivery-under-way': 'An attempt of this delivery is under way. Try again in a moment.',
  'delivery-finished': 'This delivery has ended: nothing is left to cancel.',
  'message-expunged': 'The body was dropped after its time: nothing is left to send.',
  'subscriber-disabled': 'The endpoint is disabled, has expired or was removed.',
  'request-under-way': 'This is being done already. Try again in a moment.',
  'no-encryption-key': 'There is no key to seal with: the options of the application name none.',
  'precondition-failed': 'The endpoint was changed meanwhile.',
  'body-too-large': 'This is too long.',
  'idempotency-key-reused': 'This was done already, with what you had typed first.',
  'no-delivery-log': 'Deliveries are not recorded here.',
  unavailable: 'This cannot be done at present. Try again later.',
  'internal-error': 'This did not work. Try again later.',
} as const;

/** Problems with a number. */
export const limits = {
  'subscriber-limit': (count: string) =>
    `There are ${count} endpoints already, which is the most. Change or delete one of them.`,
  tooMany: (seconds: string) => `Too many requests: possible again in ${seconds} s.`,
};

/** The values that a text of {@link refusals} names. */
type Named = Readonly<Record<string, string>>;

/** Why a field is refused, by the code of the API. */
export const refusals = {
  invalid: () => 'This is not possible here.',
  // Any field
  required: () => 'This is needed.',
  'unknown-field': () => 'The application does not know this.',
  length: ({ min, max }: Named) => `${min} to ${max} characters.`,
  'too-long': ({ max }: Named) => `At most ${max} characters.`,
  'too-deep': ({ max }: Named) => `It may have ${max} levels at most.`,
  'too-many': ({ max }: Named) => `At most ${max}.`,
  repeated: ({ pattern }: Named) => `${pattern} is there twice.`,
  'control-characters': () => 'Without signs that cannot be seen.',
  'not-a-time': () => 'This is not a time.',
  'not-in-the-past': () => 'A time in the past.',
  'not-in-the-future': () => 'A time in the future.',
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
  credentials: () => 'Without a user name and a password.',
  'malformed-url': () => 'This is not a URL.',
  'forbidden-character': () => 'Without blanks, backslashes and signs that cannot be seen.',
  'host-limit': ({ limit }: Named) =>
    `There are ${limit} endpoints of this host already, which is the most. Change or delete one of them.`,
  // Patterns of events
  'malformed-pattern': () =>
    'Names of events, or patterns such as article.*: letters, digits, _ and - between dots, or * for a whole part.',
  'too-many-segments': ({ max }: Named) => `At most ${max} parts between dots.`,
  'unknown-event': ({ pattern }: Named) => `There is no event ${pattern}.`,
  'hidden-event': ({ pattern }: Named) => `${pattern} cannot be chosen here.`,
  'no-changes': ({ events }: Named) =>
    `These events do not tell which fields have changed: ${events}. Leave them out.`,
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
  transition: () => 'Comparisons with the time before, such as nowEq, are not possible here.',
  'unchecked-paths': ({ paths }: Named) =>
    `It cannot be checked whether the events have the field ${paths}. A field that is missing has no value.`,
  // The others
  'too-high': ({ max }: Named) => `At most ${max} in a minute.`,
  'in-use': () => 'This one signs already.',
  'rotated-too-often': ({ max, next }: Named) =>
    `There are ${max} secrets that sign already. One ends ${next}: wait until then, or let the old ones sign no longer.`,
};

/** The values that each field takes, for a refusal without a text in {@link refusals}. */
export const fields = {
  url: 'Webhooks cannot be sent to this address. It must be one that the internet reaches.',
  filter: 'This condition cannot be used.',
  changed: 'Names of fields, 50 at most. Empty: always.',
  rateLimit: 'A whole number from 1 to 1,000,000.',
  holdFor: 'A number above 0, and 14 days at most. Empty: without an end.',
  host: 'A host as in URLs, with its port.',
  id: 'This is not an id.',
};

/** A reason of the application's own, as a sentence part. */
export const otherRefusal = (reason: string) => `${reason[0]!.toUpperCase()}${reason.slice(1)}.`;
