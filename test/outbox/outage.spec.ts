import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as pass } from 'node:timers/promises';
import { idFrom } from '../../lib/outbox/tables/keys.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { bundleProgram, type Child, startChild } from '../services/child.js';
import { openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';
import { printFigures } from '../support/print-figures.js';
import type { OutboxProcessTask } from '../support/processes/outbox.js';
import { type Outage, RestartedHost } from '../support/restarted-host.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
const DOWN = IS_LONG ? [40_000, 130_000] : [3000];
/** In a short outage too, what failed twice would wait for longer than the test. */
const QUICK = { schedule: [200, 300_000], endpoints: { failures: 3, probeInterval: 500 } };
/** Beside other tests, three processes may take longer; without a probe it would be five minutes. */
const WITHIN = IS_LONG ? 10_000 : 30_000;
const PROCESSES = 3;
const TIMEOUT = Math.max(...DOWN) + 120_000;

let program: string;
beforeAll(async () => {
  program = await bundleProgram('test/support/processes/outbox.ts');
});

const CASES: readonly { kind: DatabaseKind; outage: Outage }[] = [
  { kind: 'file', outage: 'answers 503' },
  { kind: 'postgres', outage: 'resets' },
  { kind: 'mariadb', outage: 'is silent' },
  ...(IS_LONG ? [{ kind: 'postgres' as const, outage: 'refuses' as const }] : []),
];

describe.each(CASES.flatMap((one) => DOWN.map((milliseconds) => ({ ...one, milliseconds }))))(
  'a host that $outage for $milliseconds ms while three processes send, on $kind',
  (down) => {
    const { kind, outage, milliseconds } = down;
    let database: TestDatabase;
    let host: RestartedHost;
    let healthy: ScriptedReceiver;
    let rig: OutboxApp;
    let children: Child[];

    beforeEach(async () => {
      children = [];
      [database, host, healthy] = [
        await createDatabase(kind),
        await RestartedHost.start(outage),
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
      'receives all that waits within 10 s of its return, or 30 s beside other tests',
      async () => {
        const urls = [host.url, healthy.url];
        for (const [at, url] of urls.entries()) {
          await rig.subscribers.create(subscriber(url, { id: `sub_${at}` }));
        }
        const task: OutboxProcessTask = {
          options: database.options,
          outbox: { isLogged: false, timeout: 3000, ...(IS_LONG ? {} : QUICK) },
          urls,
          articles: 0,
          savesEvery: 50,
        };
        for (let at = 0; at < PROCESSES; at++) {
          children.push(startChild(program, JSON.stringify(task)));
        }
        await Promise.all(children.map((child) => child.printed('ready')));
        await pass(milliseconds);
        const rows = await rig.rows(
          "SELECT message_id, attempts, requests FROM thorn_deliveries WHERE given_subscriber_id = 'sub_0' AND status = 'pending'",
        );

        await host.goUp();
        const since = performance.now();
        const waiting = rows.map(({ message_id: id }) => idFrom('msg_', id, null));
        const missing = () => waiting.filter((id) => !host.ids.has(id)).length;
        await expect
          .poll(missing, { timeout: WITHIN })
          .toBe(0)
          .catch(async (error: unknown) => {
            // Whose turn it is, and when, says where the fault is.
            const left = await rig.rows(
              "SELECT message_id, attempts, throttled, requests, attempted_at, due_at, lease, error_code FROM thorn_deliveries WHERE given_subscriber_id = 'sub_0' AND status = 'pending'",
            );
            throw new Error(`At ${Date.now()}: ${JSON.stringify(left)}`, { cause: error });
          });
        printFigures(`a host that ${outage} for ${milliseconds / 1000} s on ${kind}`, {
          waiting: waiting.length,
          triedTwice: rows.filter(({ requests }) => Number(requests) > 1).length,
          seconds: Math.round((performance.now() - since) / 100) / 10,
        });
        for (const child of children) expect(await child.end('SIGTERM')).toBe(0);
      },
      TIMEOUT,
    );
  },
);
