import type { DataSourceOptions } from 'typeorm';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { bundleProgram, type Child, startChild } from '../services/child.js';
import { type RedisServer, startRedis } from '../services/redis.js';
import { TcpProxy } from '../services/tcp-proxy.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import type { ShutdownTask } from '../support/processes/shutdown.js';

const DRAIN_TIMEOUT = 2000;
/** Beyond that: what a busy machine adds. Drivers would wait for 20 s. */
const SLACK = 6000;

const FAILURES = {
  refuses: (proxy: TcpProxy) => proxy.cut(),
  'is silent': (proxy: TcpProxy) => proxy.silence(),
};
type Failure = keyof typeof FAILURES;

/** Without its own timeout pg waits for ever for a connection that dies while it is being opened. */
const CONNECTS_WITHIN = { postgres: { connectTimeoutMS: 200 }, mariadb: { connectTimeout: 200 } };

let program: string;
beforeAll(async () => {
  program = await bundleProgram('test/support/processes/shutdown.ts');
});

describe('an application that gets SIGTERM', () => {
  let place: TestDatabase;
  let receiver: ScriptedReceiver;
  let database: TcpProxy;
  let child: Child;

  beforeEach(async () => {
    receiver = await ScriptedReceiver.start();
  });
  afterEach(async () => {
    await child.end('SIGKILL');
    await database.stop();
    await receiver.stop();
    await place.drop();
  });

  async function start(
    kind: 'postgres' | 'mariadb',
    { redis = null }: Partial<Pick<ShutdownTask, 'redis'>> = {},
  ): Promise<void> {
    place = await createDatabase(kind);
    const { options } = place;
    const { url } = options as { readonly url: string };
    database = await TcpProxy.start(url);
    const task: ShutdownTask = {
      options: { ...options, url: database.url, ...CONNECTS_WITHIN[kind] } as DataSourceOptions,
      url: receiver.url,
      outbox: { drainTimeout: DRAIN_TIMEOUT },
      redis,
    };
    child = startChild(program, JSON.stringify(task));
    await child.printed('ready');
    await receiver.waitFor(5);
  }

  const hasFailed = () => child.lines().some((line) => /failed|cannot be reached/.test(line));

  async function ended(): Promise<number> {
    const since = performance.now();
    await child.end('SIGTERM');
    return performance.now() - since;
  }

  it.each<{ kind: 'postgres' | 'mariadb'; failure: Failure; isKnown: boolean }>([
    { kind: 'postgres', failure: 'refuses', isKnown: true },
    { kind: 'postgres', failure: 'is silent', isKnown: false },
    { kind: 'mariadb', failure: 'refuses', isKnown: false },
    { kind: 'mariadb', failure: 'is silent', isKnown: true },
  ])(
    'ends soon after drainTimeout when $kind $failure; known before: $isKnown',
    async ({ kind, failure, isKnown }) => {
      await start(kind);
      await FAILURES[failure](database);
      if (isKnown) await expect.poll(hasFailed).toBe(true);
      const milliseconds = await ended();
      expect(milliseconds).toBeLessThan(DRAIN_TIMEOUT + SLACK);
      expect(
        child.lines().filter((line) => /after calling end|pool is closed/i.test(line)),
      ).toEqual([]);
    },
  );

  describe('with bullmq()', () => {
    let redis: RedisServer;
    beforeEach(async () => {
      redis = await startRedis();
    });
    afterEach(() => redis.stop());

    it.each<Failure>(['refuses', 'is silent'])(
      'ends soon after drainTimeout when Redis %s',
      async (failure) => {
        const queue = await TcpProxy.start(`redis://127.0.0.1:${redis.port}`);
        await start('postgres', { redis: Number(new URL(queue.url).port) });
        await FAILURES[failure](queue);
        await expect.poll(hasFailed).toBe(true);
        const milliseconds = await ended();
        expect(milliseconds).toBeLessThan(DRAIN_TIMEOUT + SLACK);
        expect(child.lines().filter((line) => /after calling end|closed/i.test(line))).toEqual([]);
        await queue.stop();
      },
    );
  });
});
