import { cpus } from 'node:os';

/** Something whose speed is measured. */
export interface Candidate {
  readonly name: string;
  /** Does the thing once. */
  once(): Promise<unknown>;
}

/** Something that measures itself, in a process of its own. */
export interface Remote {
  readonly name: string;
  rate(milliseconds: number, inFlight: number): Promise<number>;
}

/** How {@link rates} measures. */
export interface Schedule {
  /** Milliseconds that each candidate runs before anything counts. */
  readonly warmUp: number;
  /** Milliseconds of one candidate's turn in a round. */
  readonly turn: number;
  readonly rounds: number;
  /** How many times each candidate is under way at once. */
  readonly inFlight: number;
}

/**
 * Runs candidates by turns, so that a disturbance of the machine meets all of them.
 *
 * @returns for each candidate how often a second it was done, round by round
 */
export async function rates(
  candidates: readonly (Candidate | Remote)[],
  { warmUp, turn, rounds, inFlight }: Schedule,
): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>(candidates.map(({ name }) => [name, []]));
  const turnOf = (one: Candidate | Remote, milliseconds: number) =>
    'rate' in one ? one.rate(milliseconds, inFlight) : rate(one, milliseconds, inFlight);
  for (const candidate of candidates) await turnOf(candidate, warmUp);
  for (let round = 0; round < rounds; round++) {
    for (const candidate of candidates) {
      found.get(candidate.name)!.push(await turnOf(candidate, turn));
    }
  }
  return found;
}

/** How often a second the thing is done, for so many milliseconds. */
export async function rate(
  candidate: Candidate,
  milliseconds: number,
  inFlight: number,
): Promise<number> {
  const began = performance.now();
  const end = began + milliseconds;
  let count = 0;
  const work = async () => {
    while (performance.now() < end) {
      await candidate.once();
      count++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  return (count / (performance.now() - began)) * 1000;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** The median of the ratios within each round. */
export function ratio(of: readonly number[], to: readonly number[]): number {
  return median(of.map((value, round) => value / to[round]!));
}

/** One figure: how many times the baseline; the goal is a lower bound unless `bound` says otherwise. */
export function reportRatio(
  bench: string,
  vs: string,
  value: number,
  goal: number,
  bound: 'at least' | 'at most' = 'at least',
): void {
  const figure = { bench, vs, ratio: rounded(value), goal };
  console.log(JSON.stringify(bound === 'at least' ? figure : { ...figure, bound }));
}

/** One figure that stands for itself, at most `goal`, in `unit`. */
export function reportValue(bench: string, value: number, unit: string, goal: number): void {
  console.log(JSON.stringify({ bench, value: rounded(value), unit, goal }));
}

/** One figure that stands for itself and has no goal. */
export function reportFigure(bench: string, value: number, unit: string): void {
  console.log(JSON.stringify({ bench, value: rounded(value), unit }));
}

/** The machine that the figures belong to. */
export function machine(): string {
  const all = cpus();
  return `${all[0]?.model ?? 'unknown CPU'}, ${all.length} cores, Node ${process.version}`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
