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
