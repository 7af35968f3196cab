import 'reflect-metadata';
import './require.js';
import { readdirSync } from 'node:fs';
import { machine } from './harness.js';
import { tour } from './tour.js';

const NOT_BENCHES = new Set(['run', 'tour', 'parts', 'require', 'harness', 'receiver']);

const available = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.js'))
  .map((file) => file.slice(0, -3))
  .filter((name) => !NOT_BENCHES.has(name));
const benches = process.argv.slice(2);
const unknown = benches.filter((bench) => !available.includes(bench.split(':')[0]!));

if (unknown.length > 0) {
  console.error(
    `usage: npm run bench [-- <name>[:<part>,…] …], with names of ${available.join(', ')}`,
  );
  process.exit(2);
}
console.error(machine());
try {
  if (benches.length === 0) await tour(run);
  for (const bench of benches) await run(bench);
} catch (error) {
  console.error(error);
  // A process that it has started may still be there, and would keep this one.
  process.exit(1);
}

/** @param bench its name; `outbox:slow,latency`: these parts of it alone */
async function run(bench: string): Promise<void> {
  const [name, parts] = bench.split(':');
  const module = (await import(`./${name}.js`)) as {
    run: (parts: readonly string[]) => Promise<void>;
  };
  await module.run(parts?.split(',') ?? []);
}
