import { InvalidInputError } from '../../errors/index.js';
import { covers, namesOfPattern, namesOfSegments } from '../../event/event-patterns.js';

/** The maximum length of a pattern, in characters. */
export const MAX_PATTERN_LENGTH = 256;
/** The maximum number of segments of a pattern. */
export const MAX_PATTERN_SEGMENTS = 16;

const SEGMENT = /^[A-Za-z0-9_-]+$/;

/**
 * Refuses a value that is not a pattern of event names.
 *
 * A pattern is dot-separated segments of letters, digits, `_` and `-`. A segment may be `*` instead: as the last
 * segment it stands for one or more segments, elsewhere for exactly one segment. So `*` alone matches every event,
 * `article.*` matches `article.tag.added` and not `article`, `*.created` matches `article.created` and not
 * `blog.article.created`.
 *
 * At most {@link MAX_PATTERN_LENGTH} characters and {@link MAX_PATTERN_SEGMENTS} segments.
 *
 * @param field the name of the field that the error names; default `events`
 * @throws {@link InvalidInputError} with a reason that names the allowed characters
 */
export function checkPattern(text: unknown, field = 'events'): asserts text is string {
  if (typeof text !== 'string') throw new InvalidInputError(field, 'must be text');
  if (text.length > MAX_PATTERN_LENGTH) {
    throw new InvalidInputError(field, `must have at most ${MAX_PATTERN_LENGTH} characters`, {
      reason: 'too-long',
      max: MAX_PATTERN_LENGTH,
    });
  }
  const segments = text.split('.');
  if (segments.length > MAX_PATTERN_SEGMENTS) {
    throw new InvalidInputError(field, `must have at most ${MAX_PATTERN_SEGMENTS} segments`, {
      reason: 'too-many-segments',
      max: MAX_PATTERN_SEGMENTS,
    });
  }
  if (!segments.every((segment) => segment === '*' || SEGMENT.test(segment))) {
    throw new InvalidInputError(
      field,
      text.includes('**')
        ? `must not hold "**": write "*", which stands for one or more segments at the end, and for one elsewhere, as in "article.*"`
        : 'must be dot-separated segments of letters, digits, "_" and "-", where "*" may stand for a whole segment, as in "article.*"',
      { reason: 'malformed-pattern', pattern: text },
    );
  }
}

/** True when a valid pattern matches an event's name. */
export function patternMatches(pattern: string, name: string): boolean {
  return covers(namesOfPattern(pattern), namesOfSegments(name.split('.')));
}
