import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { bundleProgram } from '../test/services/child.js';

const execute = promisify(execFile);
let parts: string;

beforeAll(async () => {
  parts = pathToFileURL(await bundleProgram('bench/parts.ts')).href;
});

/** Runs one part of a benchmark in a process of its own. */
const run = (part: string, limits: string) =>
  execute(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { partsOf } from ${JSON.stringify(parts)};
     const server = setInterval(() => {}, 1000);
     try {
       for (const part of partsOf('queue', { part: ${part} }, [], ${limits})) await part.run();
     } finally {
       if (${limits}.stop > 1000) clearInterval(server);
       else await new Promise(() => {});
     }`,
  ]);

it('ends the run with the name of a part that takes too long, also when its server does not stop', async () => {
  const hanging = run('() => new Promise(() => {})', '{ part: 50, stop: 50 }');
  await expect(hanging).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('FAILED: queue:part: Error: it has not ended within 0.05 s'),
  });
});

it('ends the run with the name of a part that fails', async () => {
  const failing = run(
    'async () => { throw new Error("a worker ended with 1"); }',
    '{ part: 60_000, stop: 60_000 }',
  );
  await expect(failing).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('FAILED: queue:part: Error: a worker ended with 1'),
  });
});

it('ends the run with 0 when its parts have ended', async () => {
  expect(await run('async () => {}', '{ part: 60_000, stop: 60_000 }')).toMatchObject({
    stderr: '',
  });
});
