/**
 * The reasons for which the API refuses a field, by what is said of them in the language of the page. They follow the
 * field's name: "must be …". What stands after them is for the developers of the application.
 */
const REASONS = [
  // A URL
  ['length', /^must be text of (\d+) to (\d+) characters/],
  ['signs', /^must be text without control characters/],
  ['blanks', /^is refused: the URL holds a blank/],
  ['tooLong', /^is refused: the URL is longer than (\d+)/],
  ['https', /^is refused: the URL must begin with https:\/\/$/],
  ['http', /^is refused: the URL must begin with http/],
  ['credentials', /^is refused: the URL holds credentials/],
  ['malformed', /^is refused: (?:the URL is malformed|.* neither an address nor a name)/],
  ['otherProtocol', /^is refused: port (\d+) belongs to another protocol/],
  ['port', /^is refused: port (\d+) is not among the allowed ports ([\d, ]+)/],
  // Patterns of events
  ['pattern', /^must be (?:dot-separated segments|the name of an event, or a pattern)/],
  ['patternCount', /^must be a list of (?:1 to|up to) (\d+) patterns/],
  ['atMost', /^must have at most (\d+) characters/],
  ['segments', /^must have at most (\d+) segments/],
  ['noEvent', /^must not hold (\S+), which matches no event/],
  ['hiddenEvent', /^must not hold (\S+), which matches events that cannot be subscribed to/],
  ['repeated', /^must name each pattern once, "(.*)" is repeated/],
  // A filter
  ['noField', /^is refused: The condition: (\S+) is not a field/],
  ['meant', /^is refused: The condition: (\S+) is not an operator; did you mean (\w+)\?/],
  ['noOperator', /^is refused: The condition: (\S+) is (?:not )?an operator/],
  ['neverHolds', /^is refused: The condition: (\S+) can never hold/],
  ['noValue', /^is refused: The condition: (\S+) (?:must be|is) /],
  ['filterEmpty', /^is refused: The condition is empty/],
  ['transition', /^must not hold transitions such as (\w+)/],
  ['tooDeep', /^must not be nested deeper than (\d+) levels/],
  ['filter', /^(?:is refused: The condition|must be an object of fields)/],
  // The other fields
  ['address', /^is refused: /],
  ['rateCeiling', /^must allow no more than (\d+) in a minute/],
  ['rateLimit', /^must be null, or an object of max/],
  ['holdFor', /^(?:must be null, or milliseconds|is for onExhausted)/],
  ['rotations', /^was rotated too often: (\d+) are live, the next one expires at (\S+)\./],
  ['noTest', /^must be thorn\.ping or one of the event types/],
  ['id', /^must be the id of/],
  ['host', /^must be a host as in URLs/],
  ['past', /^must be (?:a time )?in the past/],
  ['order', /^must be after since/],
  ['moment', /^must be a time in ISO 8601/],
] as const;

/** A reason that the page has words of its own for. */
export type RefusalKind = (typeof REASONS)[number][0];

/** Finds the kind of a reason with what it names; null for one that the page does not know. */
export function kindOfRefusal(
  reason: string,
): { readonly kind: RefusalKind; readonly named: readonly string[] } | null {
  for (const [kind, pattern] of REASONS) {
    const found = pattern.exec(reason);
    if (found !== null) return { kind, named: found.slice(1) };
  }
  return null;
}
