import 'reflect-metadata';
import { readdirSync } from 'node:fs';
import { machine } from './harness.js';

const NOT_BENCHES = new Set(['run', 'harness', 'receiver']);

const available = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.js'))
  .map((file) => file.slice(0, -3))
  .filter((name) => !NOT_BENCHES.has(name));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !available.includes(name));

if (wanted.length === 0 || unknown.length > 0) {
  console.error(`usage: npm run bench -- <name> [<name> …], with names of ${available.join(', ')}`);
  process.exit(2);
}
console.error(machine());
for (const name of wanted) {
  const { run } = (await import(`./${name}.js`)) as { run: () => Promise<void> };
  await run();
}
