import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundleProgram } from '../services/child.js';
import { Program } from '../services/program.js';

describe('npm run sample', () => {
  const other = createServer();
  beforeEach(() => new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve)));
  afterEach(() => new Promise((resolve) => other.close(resolve)));

  it.each(['PORT', 'CONSUMER_PORT'])('names %s when its port is in use', async (variable) => {
    const { port } = other.address() as AddressInfo;
    const free = variable === 'PORT' ? { CONSUMER_PORT: '0' } : { PORT: '0' };
    const program = new Program(await bundleProgram('sample/start/start.ts'), [], '', {
      ...free,
      [variable]: String(port),
    });

    expect([await program.ended, program.out, program.notes]).toEqual([
      1,
      '',
      `Port ${port} is in use. Name a free one: ${variable}=${port + 1} npm run sample\n`,
    ]);
  });

  it('names the samples when there is none of that name', async () => {
    const program = new Program(await bundleProgram('sample/start/start.ts'), ['constructor']);

    expect([await program.ended, program.notes]).toEqual([
      1,
      'There is no sample constructor. Name one of blog, prisma, drizzle, distributed, receiver, agent\n',
    ]);
  });

  it('is in the list of samples with each name', () => {
    const list = readFileSync('sample/README.md', 'utf8');
    const names = [...list.matchAll(/`npm run sample(?: -- (\w+))?`/g)].map(([, name]) => name);
    expect(names.toSorted()).toEqual(
      [undefined, 'prisma', 'drizzle', 'distributed', 'receiver', 'agent'].toSorted(),
    );
  });
});
