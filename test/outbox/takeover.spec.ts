import { Logger } from '@nestjs/common';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { MovableClock, ScriptedReceiver } from '../../lib/testing/index.js';
import { bundleProgram, type Child, startChild } from '../services/child.js';
import { TcpProxy } from '../services/tcp-proxy.js';
import { joined, openOutboxApp, type OutboxApp, subscriber } from '../support/apps/outbox-app.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from '../support/databases.js';
import { printFigures } from '../support/print-figures.js';
import type { OutboxProcessTask } from '../support/processes/outbox.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
/** Long runs wait for the default lease. */
const SHORT = IS_LONG ? {} : { lease: 6000 };
const WITHIN = IS_LONG ? 15_000 : 9000;
const HELD = 8;

let place: TestDatabase;
let receiver: ScriptedReceiver;
let apps: OutboxApp[];

beforeEach(async () => {
  [apps, receiver] = [[], await ScriptedReceiver.start()];
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const app of apps) await app.close();
  await receiver.stop();
  await place.drop();
});

describe.each<{ kind: DatabaseKind }>([
  { kind: 'postgres' },
  ...(IS_LONG ? ([{ kind: 'file' }, { kind: 'mariadb' }] as const) : []),
])('what a killed process held, on $kind', ({ kind }) => {
  let program: string;
  let children: Child[];
  beforeAll(async () => {
    program = await bundleProgram('test/support/processes/outbox.ts');
  });
  beforeEach(async () => {
    [place, children] = [await createDatabase(kind), []];
  });
  afterEach(async () => {
    for (const child of children) await child.end('SIGKILL');
  });

  it.each([{ ordered: false }, { ordered: true }])(
    'is sent by its successor within one and a half leases; ordered: $ordered',
    async ({ ordered }) => {
      const app = await openOutboxApp(place, { worker: false });
      apps.push(app);
      await app.subscribers.create(subscriber(receiver.url, { id: 'sub_0', ordered }));
      const task: OutboxProcessTask = {
        options: place.options,
        outbox: { ...SHORT, timeout: 60_000 },
        urls: [receiver.url],
        changes: [{ ordered }],
        articles: 0,
      };
      const start = async () => {
        const child = startChild(program, JSON.stringify(task));
        children.push(child);
        await child.printed('ready');
        return child;
      };
      const victim = await start();
      receiver.answer(...Array<'hang'>(HELD).fill('hang'));
      const keys = Array.from({ length: HELD }, (_, at) => `${at}`);
      await Promise.all(keys.map((key) => app.send({ orderBy: { key } })));
      await receiver.waitFor(HELD);

      await victim.end('SIGKILL');
      const since = performance.now();
      await start();
      await receiver.waitFor(2 * HELD, { timeout: WITHIN });
      const ids = (from: number) =>
        new Set(receiver.received.slice(from, from + HELD).map(({ id }) => id));
      expect(ids(HELD)).toEqual(ids(0));
      printFigures(`held by a killed process on ${kind}, ordered: ${ordered}`, {
        seconds: Math.round((performance.now() - since) / 100) / 10,
      });
    },
  );
});

describe('leases that expire while the database is away', () => {
  it('are renewed by the process that lives, before another one claims', async () => {
    vi.spyOn(Logger.prototype, 'error').mockReturnValue();
    place = await createDatabase('postgres');
    const { options } = place as { options: { type: 'postgres'; url: string } };
    const proxy = await TcpProxy.start(options.url);
    const through = { options: { ...options, url: proxy.url } };
    // The holder renews after a tenth of the lease, the other one claims after a fifth: long, for a busy machine.
    const settings = { lease: 10_000, timeout: 60_000, isLogged: false };
    const holder = await openOutboxApp(through, settings);
    const { subscribers } = holder;
    const other = await openOutboxApp(through, { ...settings, subscribers, synchronize: false });
    apps.push(holder, other);
    await subscribers.create(subscriber(receiver.url));
    receiver.otherwise({ delay: 16_000 });
    await Promise.all(Array.from({ length: HELD }, () => holder.send()));
    await receiver.waitFor(HELD);

    await proxy.cut();
    await expect.poll(() => holder.strategy.store.heldMessages.all().every(isExpired)).toBe(true);
    await proxy.restore();
    other.strategy.wake();
    await other.until('SELECT id FROM thorn_deliveries', (rows) => rows.length === HELD);
    expect(receiver.received).toHaveLength(HELD);
    await proxy.stop();
  });
});

describe('a message whose lease has almost ended when its transaction commits', () => {
  it('is sent once, although another worker waits for the end of the lease', async () => {
    place = await createDatabase('postgres');
    const [clock, lease] = [new MovableClock(), 10_000];
    const settings = { clock, lease, timeout: 60_000 };
    const holder = await openOutboxApp(place, settings);
    const { subscribers } = holder;
    const other = await openOutboxApp(place, { ...settings, subscribers, synchronize: false });
    apps.push(holder, other);
    await subscribers.create(subscriber(receiver.url));
    receiver.otherwise({ delay: 500 });

    const message = holder.message();
    await holder.dataSource.transaction(async (manager) => {
      await holder.strategy.stage([message], joined(manager));
      clock.advance(lease - 50);
    });
    await holder.strategy.release([message]);
    await receiver.waitFor(1);
    // The request is under way.
    clock.advance(60);
    await other.until('SELECT status FROM thorn_deliveries', ([row]) => row !== undefined);
    await other.until('SELECT id FROM thorn_pending_messages', (rows) => rows.length === 0);
    expect(receiver.received).toHaveLength(1);
  });
});

function isExpired({ leasedUntil }: { readonly leasedUntil: number }): boolean {
  return leasedUntil < Date.now();
}
