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

/** How long and how often something is measured. */
export interface Turns {
  /** Milliseconds that each candidate runs before anything counts. */
  readonly warmUp: number;
  /** Milliseconds of one candidate's turn in a round. */
  readonly turn: number;
  readonly rounds: number;
}

/** How {@link rates} measures. */
export interface Schedule extends Turns {
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
  { inFlight, ...turns }: Schedule,
): Promise<Map<string, number[]>> {
  const { warmUp, turn, rounds } = paced(turns);
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

/** A figure as it is reported. */
export interface Figure {
  readonly bench: string;
  readonly value: number;
  readonly unit: string;
  /** A lower bound unless `bound` says otherwise; null: none. */
  readonly goal: number | null;
  readonly bound: 'at least' | 'at most';
}

let print = (line: object, _figure: Figure): void => console.log(JSON.stringify(line));
let isInHurry = false;

/** Measures by fewer and shorter turns from now on ({@link paced}), and gives figures to `collect` instead of printing them. */
export function hurry(collect: (figure: Figure) => void): void {
  isInHurry = true;
  print = (_, figure) => collect(figure);
}

/** A process of its own has to run for so long before its code is compiled. */
const FULL_WARM_UP = 3000;

/**
 * The turns that are taken: fewer and shorter ones in a hurry. Contenders in processes of their own warm up in full all
 * the same. Those that share a process run the same code, and warm up together.
 */
export function paced({ warmUp, turn, rounds }: Turns): Turns {
  if (!isInHurry) return { warmUp, turn, rounds };
  // An odd number: the median is a round's own.
  const fewer = Math.max(3, Math.round(rounds * 0.4) | 1);
  const isAlone = warmUp >= FULL_WARM_UP;
  return { warmUp: isAlone ? warmUp : warmUp / 3, turn: turn * 0.4, rounds: fewer };
}

/** One figure: how many times the baseline; the goal is a lower bound unless `bound` says otherwise. */
export function reportRatio(
  bench: string,
  vs: string,
  value: number,
  goal: number,
  bound: Figure['bound'] = 'at least',
): void {
  const ratio = rounded(value);
  const line = { bench, vs, ratio, goal };
  print(bound === 'at least' ? line : { ...line, bound }, {
    bench,
    value: ratio,
    unit: `times ${vs}`,
    goal,
    bound,
  });
}

/** One figure that stands for itself, at most `goal`, in `unit`. */
export function reportValue(bench: string, value: number, unit: string, goal: number): void {
  const line = { bench, value: rounded(value), unit, goal };
  print(line, { ...line, bound: 'at most' });
}

/** One figure that stands for itself and has no goal. */
export function reportFigure(bench: string, value: number, unit: string): void {
  const line = { bench, value: rounded(value), unit };
  print(line, { ...line, goal: null, bound: 'at most' });
}

/** The machine that the figures belong to. */
export function machine(): string {
  const all = cpus();
  return `${all[0]?.model ?? 'unknown CPU'}, ${all.length} cores, Node ${process.version}`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
