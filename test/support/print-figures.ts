import { writeSync } from 'node:fs';

/** Prints a line of figures in a long run, also when the test passes: `quiet-logs` hides what the streams get. */
export function printFigures(what: string, figures: object): void {
  if (process.env['THORN_LONG'] !== '1') return;
  writeSync(1, `${what}: ${JSON.stringify(figures)}\n`);
}
