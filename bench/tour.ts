import { type Figure, hurry, machine } from './harness.js';

const STOPS = [
  'outbox:throughput,slow,ceiling,cpu,storage,save-cost,dead-host,neighbour',
  'bullmq:throughput,pace',
  'http',
  // Not a million subscribers, which take longer to make than to search.
  'match:search,load',
  'capture:save',
  // Not the answers to a million deliveries, which take minutes to make.
  'page:size,deliveries',
];

/** All headline figures in five to six minutes, in one table. Turns are short: confirm a figure with its own bench. */
export async function tour(run: (bench: string) => Promise<void>): Promise<void> {
  const figures: Figure[] = [];
  hurry((figure) => {
    figures.push(figure);
    console.error(lineOf(figure));
  });
  const began = performance.now();
  for (const stop of STOPS) await run(stop);
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  console.log(`\n${machine()}, ${new Date().toISOString().slice(0, 10)}, ${minutes} minutes\n`);
  console.log(HEADINGS);
  for (const figure of figures) console.log(lineOf(figure));
}

const HEADINGS = row('figure', 'measured', 'unit', 'goal', '');

function lineOf({ bench, value, unit, goal, bound }: Figure): string {
  if (goal === null) return row(bench, `${value}`, unit, '', '');
  const isMet = bound === 'at least' ? value >= goal : value <= goal;
  const sign = bound === 'at least' ? '≥' : '≤';
  return row(bench, `${value}`, unit, `${sign} ${goal}`, isMet ? 'met' : 'missed');
}

function row(bench: string, value: string, unit: string, goal: string, verdict: string): string {
  return `${bench.padEnd(34)}${value.padStart(9)} ${unit.padEnd(22)}${goal.padEnd(9)}${verdict}`;
}
