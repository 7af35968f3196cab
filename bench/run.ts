import 'reflect-metadata';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { machine } from './harness.js';

// The sources are built to CommonJS, and run as ES modules here.
globalThis.require = createRequire(import.meta.url);

const NOT_BENCHES = new Set(['run', 'harness', 'receiver']);

const available = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.js'))
  .map((file) => file.slice(0, -3))
  .filter((name) => !NOT_BENCHES.has(name));
// `outbox:slow,latency`: these parts of it alone.
const wanted = process.argv.slice(2).map((argument) => {
  const [name = '', parts] = argument.split(':');
  return { name, parts: parts?.split(',') ?? [] };
});
const unknown = wanted.filter(({ name }) => !available.includes(name));

if (wanted.length === 0 || unknown.length > 0) {
  console.error(
    `usage: npm run bench -- <name>[:<part>,…] …, with names of ${available.join(', ')}`,
  );
  process.exit(2);
}
console.error(machine());
for (const { name, parts } of wanted) {
  const { run } = (await import(`./${name}.js`)) as {
    run: (parts: readonly string[]) => Promise<void>;
  };
  await run(parts);
}
