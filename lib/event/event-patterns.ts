/**
 * A set of event names as a pattern or a name with fields describes it: segments, null for any one segment, and whether
 * more may follow.
 */
export interface PatternCoverage {
  readonly segments: readonly (string | null)[];
  readonly open: boolean;
}

/** The names that a subscriber's pattern matches: `*` is any segment, as the last one any number but none. */
export function namesOfPattern(pattern: string): PatternCoverage {
  const segments = pattern.split('.').map((segment) => (segment === '*' ? null : segment));
  return { segments, open: segments.at(-1) === null };
}

/** One name, or the names that a declared name has for its rows: null for a field. */
export function namesOfSegments(segments: readonly (string | null)[]): PatternCoverage {
  return { segments, open: false };
}

/** Tells whether some name is in both. */
export function overlap(one: PatternCoverage, other: PatternCoverage): boolean {
  return (
    canHaveLength(one, other.segments.length, other.open) &&
    canHaveLength(other, one.segments.length, one.open) &&
    one.segments.every((segment, index) => {
      const opposite = other.segments[index] ?? null;
      return segment === null || opposite === null || segment === opposite;
    })
  );
}

/** Tells whether every name of `inner` is in `outer`. */
export function covers(outer: PatternCoverage, inner: PatternCoverage): boolean {
  const length = inner.segments.length;
  const fits = outer.open ? length >= outer.segments.length : length === outer.segments.length;
  return (
    fits &&
    (outer.open || !inner.open) &&
    outer.segments.every((segment, index) => segment === null || segment === inner.segments[index])
  );
}

function canHaveLength(set: PatternCoverage, length: number, orMore: boolean): boolean {
  if (set.segments.length === length) return true;
  return set.segments.length < length ? set.open : orMore;
}

const SHOWN = 3;
/** The part of the pattern's length that may differ from a name. */
const TOLERANCE = 0.3;

/** Names that resemble a pattern most, for error texts: at most three, the nearest first; none that are far from it. */
export function nearestNames(pattern: string, names: readonly string[]): readonly string[] {
  return names
    .map((name) => ({ name, distance: distanceOf(pattern.split('.'), name.split('.')) }))
    .filter(({ distance }) => distance <= pattern.length * TOLERANCE)
    .sort((one, other) => one.distance - other.distance)
    .slice(0, SHOWN)
    .map(({ name }) => name);
}

function distanceOf(pattern: readonly string[], name: readonly string[]): number {
  const isOpen = pattern.at(-1) === '*';
  const excess = name.length - pattern.length;
  let distance = excess > 0 && isOpen ? 0 : Math.abs(excess);
  for (const [index, segment] of pattern.slice(0, name.length).entries()) {
    const opposite = name[index]!;
    if (segment === '*' || opposite.startsWith('{')) continue;
    distance += edits(segment, opposite);
  }
  return distance;
}

/** Levenshtein's distance: insertions, removals and replacements of characters. */
function edits(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, character] of [...one].entries()) {
    const next = [i + 1];
    for (const [j, opposite] of [...other].entries()) {
      next.push(
        Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (character === opposite ? 0 : 1)),
      );
    }
    row = next;
  }
  return row.at(-1)!;
}
