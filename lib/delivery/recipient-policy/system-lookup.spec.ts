import { execFileSync } from 'node:child_process';
import { lookup as systemsOwn, type LookupAddress } from 'node:dns';
import { closeSync, mkdtempSync, open, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { NameServer } from '../../../test/services/name-server.js';
import { type AddressLookup, SystemLookup } from './system-lookup.js';

const PATIENCE = 50;
/** Shorter than the time in which silent servers are given up. */
const SLOW_FOR = 2000;
const KNOWN = { 'hooks.example': '192.0.2.7', 'silent.example': 'silent' } as const;

const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

describe('names are looked up', () => {
  it('by the system alone while that is quick', async () => {
    const { lookup, server } = await ground((_name, _options, callback) => {
      setImmediate(() => callback(null, [{ address: '192.0.2.1', family: 4 }]));
    });

    expect(await lookup('hooks.example')).toEqual([{ address: '192.0.2.1', family: 4 }]);
    expect(server.asked).toEqual([]);
  });

  it('by name servers where the system takes long, at once from then on', async () => {
    const { lookup, server, system } = await ground(() => undefined);

    for (let time = 1; time <= 3; time += 1) {
      expect(await lookup('hooks.example')).toEqual([{ address: '192.0.2.7', family: 4 }]);
    }
    expect(system.asked).toEqual(['hooks.example']);
    expect(server.asked).toHaveLength(6);
  });

  it('while all threads of the process wait for something else', async () => {
    const { lookup, server } = await ground(systemsOwn);
    holdThreads();

    expect(await lookup('hooks.example')).toEqual([{ address: '192.0.2.7', family: 4 }]);
    expect(server.asked).toEqual(['hooks.example', 'hooks.example']);
  });

  it('by the system after all, if it alone knows them', async () => {
    const waiting: (() => void)[] = [];
    const { lookup, system } = await ground((name, _options, callback) => {
      if (name !== 'of-a-file.example') return;
      waiting.push(() => callback(null, [{ address: '192.0.2.9', family: 4 }]));
    });
    const first = lookup('of-a-file.example');
    // By then, the server has answered for the other name as well.
    await lookup('hooks.example');
    for (const answer of waiting.splice(0)) answer();

    expect(await first).toEqual([{ address: '192.0.2.9', family: 4 }]);
    const second = lookup('of-a-file.example');
    for (const answer of waiting.splice(0)) answer();
    expect(await second).toEqual([{ address: '192.0.2.9', family: 4 }]);
    expect(system.asked).toEqual(['of-a-file.example', 'hooks.example', 'of-a-file.example']);
  });

  it('by the system again once it has answered, though servers stay silent', async () => {
    const waiting: (() => void)[] = [];
    const { lookup, system } = await ground((_name, _options, callback) => {
      waiting.push(() => callback(null, [{ address: '192.0.2.9', family: 4 }]));
    });
    const first = lookup('silent.example');
    const ofServers = await onceSlow(lookup, system.asked, 'silent.example');
    for (const answer of waiting.splice(0)) answer();

    expect(await first).toEqual([{ address: '192.0.2.9', family: 4 }]);
    await expect(ofServers.answer).rejects.toMatchObject({ code: 'ETIMEOUT' });
    const before = system.asked.length;
    void lookup('silent.example');
    expect(system.asked).toHaveLength(before + 1);
    for (const answer of waiting.splice(0)) answer();
  });

  it.each([
    ['no server knows', 'nowhere.example'],
    ['is none for servers', `${'a'.repeat(64)}.example`],
  ])('by the system where a slow one %s', async (_, name) => {
    const waiting: (() => void)[] = [];
    const { lookup } = await ground((_name, _options, callback) => {
      waiting.push(() => callback(null, [{ address: '192.0.2.9', family: 4 }]));
    });
    void lookup(name);
    const second = await onceSlow(lookup, waiting, name);
    await expect.poll(() => waiting.length).toBe(second.before + 1);
    for (const answer of waiting.splice(0)) answer();

    expect(await second.answer).toEqual([{ address: '192.0.2.9', family: 4 }]);
  });

  it('by name servers as long as they are silent, and fail', async () => {
    const { lookup, system } = await ground(() => undefined);
    const { answer } = await onceSlow(lookup, system.asked, 'silent.example');

    await expect(answer).rejects.toMatchObject({ code: 'ETIMEOUT' });
    const before = system.asked.length;
    void lookup('silent.example').catch(() => undefined);
    expect(system.asked).toHaveLength(before);
  });
});

/** Looks a name up until that is no longer left to the system at once. @param asked grows when the system is asked */
async function onceSlow(
  lookup: (name: string) => Promise<LookupAddress[]>,
  asked: readonly unknown[],
  name: string,
): Promise<{ readonly answer: Promise<LookupAddress[]>; readonly before: number }> {
  let answer = lookup(name);
  let before = asked.length;
  const more = (): number => {
    before = asked.length;
    answer = lookup(name);
    answer.catch(() => undefined);
    return asked.length - before;
  };
  await expect.poll(more).toBe(0);
  return { answer, before };
}

/** Node's threads open pipes that nobody writes to, until the end of the test. */
function holdThreads(): void {
  const directory = mkdtempSync(join(tmpdir(), 'thorn-threads-'));
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
  const pipes = Array.from({ length: threads }, (_, number) => join(directory, `${number}`));
  execFileSync('mkfifo', pipes);
  for (const pipe of pipes) open(pipe, (_, file) => closeSync(file));
  cleanups.push(() => {
    for (const pipe of pipes) closeSync(openSync(pipe, 'w'));
    rmSync(directory, { recursive: true });
  });
}

async function ground(answer: AddressLookup) {
  const server = await NameServer.start(KNOWN);
  cleanups.push(() => server.stop());
  const system = { asked: [] as string[] };
  const { lookup } = new SystemLookup({
    system: (name, options, callback) => {
      system.asked.push(name);
      answer(name, options, callback);
    },
    patience: PATIENCE,
    slowFor: SLOW_FOR,
    servers: [server.address],
  });
  return {
    server,
    system,
    lookup: (name: string) =>
      new Promise<LookupAddress[]>((resolve, reject) =>
        lookup(name, { all: true }, (error, addresses) =>
          error === null ? resolve(addresses) : reject(error),
        ),
      ),
  };
}
