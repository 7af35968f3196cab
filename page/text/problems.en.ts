/** Problems that the API answers with, by their code. */
export const problems = {
  forbidden: 'You may not do this.',
  'endpoint-unverified': 'The endpoint has not confirmed yet that it wants webhooks.',
  'delivery-under-way': 'An attempt of this delivery is under way. Try again in a moment.',
  'delivery-finished': 'This delivery has ended: nothing is left to cancel.',
  'message-expunged': 'The body was dropped after its time: nothing is left to send.',
  'subscriber-disabled': 'The endpoint is disabled or was removed.',
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
  'host-limit': (count: string) =>
    `There are ${count} endpoints of this host already, which is the most. Change or delete one of them.`,
  tooMany: (seconds: string) => `Too many requests: possible again in ${seconds} s.`,
};

/** Why a field is refused; see `core/refusals.ts`. */
export const refusals = {
  length: (least: string, most: string) => `${least} to ${most} characters.`,
  signs: () => 'Without signs that cannot be seen.',
  blanks: () => 'Without blanks, backslashes and signs that cannot be seen.',
  tooLong: (most: string) => `At most ${most} characters.`,
  https: () => 'It must begin with https://.',
  http: () => 'It must begin with https:// or http:// and a host.',
  credentials: () => 'Without a user name and a password.',
  malformed: () => 'This is not a URL.',
  otherProtocol: (port: string) => `Port ${port} is not for webhooks.`,
  port: (port: string, allowed: string) => `Port ${port} is not allowed. Allowed are ${allowed}.`,
  pattern: () =>
    'Names of events, or patterns such as article.*: letters, digits, _ and - between dots, or * for a whole part.',
  patternCount: (most: string) => `At most ${most} patterns.`,
  atMost: (most: string) => `At most ${most} characters.`,
  segments: (most: string) => `At most ${most} parts between dots.`,
  noEvent: (name: string) => `There is no event ${name}.`,
  hiddenEvent: (name: string) => `${name} cannot be chosen here.`,
  repeated: (name: string) => `${name} is there twice.`,
  noField: (name: string) => `The data of these events has no field ${name}.`,
  meant: (name: string, meant: string) => `${name} is not a comparison. Did you mean ${meant}?`,
  noOperator: (name: string) => `${name} is not a comparison here.`,
  neverHolds: (name: string) => `${name} can never hold: the field has values of another kind.`,
  noValue: (name: string) => `${name} has a value that it cannot be compared with.`,
  filterEmpty: () => 'The condition is empty.',
  transition: (name: string) =>
    `Comparisons with the time before, such as ${name}, are not possible here.`,
  tooDeep: (most: string) => `It may have ${most} levels at most.`,
  filter: () => 'This condition cannot be used.',
  address: () =>
    'Webhooks cannot be sent to this address. It must be one that the internet reaches.',
  rateCeiling: (most: string) => `At most ${most} in a minute.`,
  rateLimit: () => 'A whole number from 1 to 1,000,000.',
  holdFor: () => 'A number above 0, and 14 days at most. Empty: without an end.',
  rotations: (count: string, next: string) =>
    `There are ${count} secrets that sign already. One ends ${next}: wait until then, or let the old ones sign no longer.`,
  noTest: () => 'There is no such event.',
  id: () => 'This is not an id.',
  host: () => 'A host as in URLs, with its port.',
  past: () => 'A time in the past.',
  order: () => 'The end must be after the beginning.',
  moment: () => 'This is not a time.',
};

/** A reason of the API that the page has no words for, as a sentence part. */
export const otherRefusal = (reason: string) => `${reason[0]!.toUpperCase()}${reason.slice(1)}.`;

/** What cannot be checked of a filter. */
export const uncheckedFields = (fields: string) =>
  `It cannot be checked whether the events have the field ${fields}. A field that is missing has no value.`;
