import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as pass } from 'node:timers/promises';
import { idFrom } from '../../lib/outbox/tables/keys.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { bundleProgram, type Child, startChild } from '../services/child.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';
import { printFigures } from '../support/print-figures.js';
import type { OutboxProcessTask } from '../support/processes/outbox.js';
import { RestartedHost } from '../support/restarted-host.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
const DOWN = IS_LONG ? 100_000 : 3000;
const PROCESSES = 3;
const TIMEOUT = DOWN + 120_000;

let program: string;
beforeAll(async () => {
  program = await bundleProgram('test/support/processes/outbox.ts');
}, 60_000);

describe.each<{ kind: DatabaseKind }>([
  { kind: 'file' },
  { kind: 'postgres' },
  ...(IS_LONG ? [{ kind: 'mariadb' as const }] : []),
])('a host that is down while three processes send, on $kind', ({ kind }) => {
  let database: TestDatabase;
  let host: RestartedHost;
  let healthy: ScriptedReceiver;
  let rig: OutboxApp;
  let children: Child[];

  beforeEach(async () => {
    children = [];
    [database, host, healthy] = [
      await createDatabase(kind),
      await RestartedHost.start(),
      await ScriptedReceiver.start(),
    ];
    rig = await openOutboxApp(database, { worker: false });
  });
  afterEach(async () => {
    for (const child of children) await child.end('SIGKILL');
    await rig.close();
    await host.stop();
    await healthy.stop();
    await database.drop();
  });

  it(
    'receives every first attempt that waited within 10 s of its first success',
    async () => {
      const urls = [host.url, healthy.url];
      for (const [at, url] of urls.entries()) {
        await rig.subscribers.create(subscriber(url, { id: `sub_${at}` }));
      }
      const task: OutboxProcessTask = {
        options: database.options,
        outbox: { isLogged: false, endpoints: IS_LONG ? {} : { failures: 3, openFor: 1000 } },
        urls,
        articles: 0,
        savesEvery: 50,
      };
      for (let at = 0; at < PROCESSES; at++) {
        children.push(startChild(program, JSON.stringify(task)));
      }
      await Promise.all(children.map((child) => child.printed('ready')));
      await pass(DOWN);
      const untried = await rig.rows(
        "SELECT * FROM thorn_deliveries WHERE given_subscriber_id = 'sub_0' AND requests = 0",
      );

      host.isUp = true;
      await expect.poll(() => host.ids.size, { timeout: 70_000, interval: 10 }).toBeGreaterThan(0);
      const since = performance.now();
      const waiting = untried.map(({ message_id: id }) => idFrom('msg_', id, null));
      const missing = () => waiting.filter((id) => !host.ids.has(id)).length;
      await expect.poll(missing, { timeout: 10_000 }).toBe(0);
      printFigures(`a host down for ${DOWN / 1000} s on ${kind}`, {
        waiting: waiting.length,
        seconds: Math.round((performance.now() - since) / 100) / 10,
      });
      for (const child of children) expect(await child.end('SIGTERM')).toBe(0);
    },
    TIMEOUT,
  );
});
