/** The words for why a value is refused, for programs and for translations. The guide of the REST API explains them. */
export const REFUSAL_CODES = [
  // Any field
  ...['required', 'unknown-field', 'length', 'too-long', 'too-deep', 'too-many', 'repeated'],
  ...[
    'control-characters',
    'not-a-time',
    'not-in-the-past',
    'not-in-the-future',
    'not-after-since',
  ],
  // The URL; the recipient policy has others, such as `private-address`
  ...['protocol', 'port', 'credentials', 'malformed-url', 'forbidden-character', 'host-limit'],
  // Patterns of events
  ...['malformed-pattern', 'too-many-segments', 'unknown-event', 'hidden-event'],
  // A filter
  ...['empty', 'unknown-path', 'unknown-operator', 'wrong-value', 'never-holds', 'transition'],
  // The others
  ...['too-high', 'in-use', 'rotated-too-often'],
] as const;

/** One of {@link REFUSAL_CODES}. */
export type RefusalCode = (typeof REFUSAL_CODES)[number];
