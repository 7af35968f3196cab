const HOUR = 3_600_000;
const NOON = 12;

/** Times that end now, by their names in the address: each computes its beginning, in milliseconds since the Unix epoch. */
const SPANS = {
  lastHour: (at: number) => at - HOUR,
  sinceNoon: (at: number) => {
    const noon = new Date(at).setHours(NOON, 0, 0, 0);
    return noon <= at ? noon : noon - 24 * HOUR;
  },
  today: (at: number) => new Date(at).setHours(0, 0, 0, 0),
  lastDay: (at: number) => at - 24 * HOUR,
  lastWeek: (at: number) => at - 168 * HOUR,
} as const;

export type Span = keyof typeof SPANS;

/** The beginning of a span that ends at a time; undefined for a name that is none. */
export function beginningOf(name: string | undefined, at: number): string | undefined {
  const found = Object.entries(SPANS).find(([one]) => one === name)?.[1];
  return found && new Date(found(at)).toISOString();
}

/** The spans to choose from. Noon is one of them once it is over, or while it is chosen. */
export function spansAt(at: number, chosen?: string): readonly Span[] {
  const names = Object.keys(SPANS) as Span[];
  const isAfternoon = new Date(at).getHours() >= NOON;
  return names.filter((one) => one !== 'sinceNoon' || isAfternoon || one === chosen);
}
