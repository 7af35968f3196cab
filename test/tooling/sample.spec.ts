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
    const program = new Program(await bundleProgram('sample/blog/play.ts'), [], '', {
      ...free,
      [variable]: String(port),
    });

    expect([await program.ended, program.out, program.notes]).toEqual([
      1,
      '',
      `Port ${port} is in use. Name a free one: ${variable}=${port + 1} npm run sample\n`,
    ]);
  });
});
