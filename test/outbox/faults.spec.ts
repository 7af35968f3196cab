import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { idFrom } from '../../lib/outbox/tables/keys.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import type { OutboxProcessTask } from '../support/processes/outbox.js';
import { checkDeliveries, isInOrder } from '../support/check-deliveries.js';
import { printFigures } from '../support/print-figures.js';
import { type DatabaseKind, createDatabase, type TestDatabase } from '../support/databases.js';
import { type ClientOutbox, openClientOutbox } from '../support/apps/client-outbox.js';
import { type OutboxAppOptions, subscriber } from '../support/apps/outbox-app.js';
import { clientEnvironment } from '../support/client-program.js';
import { bundleProgram, type Child, startChild } from '../services/child.js';
import { OrderedReceiver } from '../support/ordered-receiver.js';
import { STORED_ATTEMPTS } from '../support/stored-attempts.js';
import { STORED_MESSAGES } from '../support/stored-messages.js';

const IS_LONG = process.env['THORN_LONG'] === '1';
/** Default of `client`: TypeORM. `isBrief`: one test alone, of few messages. */
interface On {
  readonly kind: DatabaseKind;
  readonly client?: string;
  readonly isBrief?: boolean;
}
const ON_MARIADB = ['Prisma 7 on MariaDB', 'Drizzle 0.45 on MariaDB'];
const CLIENTS: readonly On[] = IS_LONG
  ? [
      ...['Prisma 7', 'Drizzle 0.45'].map((client): On => ({ kind: 'postgres', client })),
      ...ON_MARIADB.map((client): On => ({ kind: 'mariadb', client })),
    ]
  : [{ kind: 'postgres', client: 'Drizzle 0.45', isBrief: true }];
const LONG_KINDS: readonly On[] = IS_LONG ? [{ kind: 'mariadb' }] : [];
const SEEDS = IS_LONG ? 20 : 1;
const MESSAGES = `SELECT id, lease, due_at FROM ${STORED_MESSAGES}`;
const IDLE_IN_TRANSACTION =
  "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'";
const DELIVERIES = 'SELECT * FROM thorn_deliveries ORDER BY id';
const isDone = (rows: Record<string, unknown>[]) => rows.every(({ due_at: due }) => due === null);
// On a busy machine a process may stand still for seconds.
const PATIENCE = 60_000;

let program: string;
beforeAll(async () => {
  program = await bundleProgram('test/support/processes/outbox.ts');
});

describe.each<On>([{ kind: 'file' }, { kind: 'postgres' }, ...LONG_KINDS, ...CLIENTS])(
  'processes that die, on %j',
  ({ kind, client, isBrief = false }) => {
    let place: TestDatabase;
    let receiver: ScriptedReceiver;
    let rig: ClientOutbox;
    let children: Child[];
    let environment: Readonly<Record<string, string>>;

    beforeAll(async () => {
      environment = await clientEnvironment(client);
    });

    beforeEach(async () => {
      [place, receiver] = [await createDatabase(kind), await ScriptedReceiver.start()];
      children = [];
    });

    afterEach(async () => {
      for (const child of children) await child.end('SIGKILL');
      await rig.close();
      await receiver.stop();
      await place.drop();
    });

    async function open(options: OutboxAppOptions, urls: readonly string[]): Promise<void> {
      rig = await openClientOutbox(place, { ...options, client });
      for (const [at, url] of urls.entries()) {
        await rig.subscribers.create(subscriber(url, { id: `sub_${at}` }));
      }
    }

    function start(task: Omit<OutboxProcessTask, 'options' | 'client'>): Child {
      const given: OutboxProcessTask = { ...task, client, options: place.options };
      const child = startChild(program, JSON.stringify(given), environment);
      children.push(child);
      return child;
    }

    /** Stops a process while it has no transaction open: the database would hold its rows for as long as it stands still. */
    async function stop({ process }: Child): Promise<void> {
      for (;;) {
        // By the process itself, between two turns of its event loop.
        process.kill('SIGUSR2');
        await vi.waitFor(() =>
          expect(readFileSync(`/proc/${process.pid}/stat`, 'utf8')).toMatch(/\) T /),
        );
        const held = kind === 'postgres' ? await rig.rows(IDLE_IN_TRANSACTION) : [];
        if (held.length === 0) return;
        process.kill('SIGCONT');
      }
    }

    /** Resolves to all rows when none of them is due any more. */
    function done(sql: string): Promise<Record<string, unknown>[]> {
      return vi.waitFor(
        async () => {
          const rows = await rig.rows(sql);
          expect(isDone(rows)).toBe(true);
          return rows;
        },
        { timeout: PATIENCE, interval: 50 },
      );
    }

    it.each(Array.from({ length: isBrief ? 1 : SEEDS }, (_, seed) => ({ seed })))(
      'loses no message when one of two workers is killed, seed $seed',
      async ({ seed }) => {
        const window = 20;
        receiver.otherwise({ delay: 3 });
        const paths = ['/plain', '/skip', '/hold', '/limited', '/disabled'];
        const enabled = paths.slice(0, 4);
        const urls = paths.map((path) => new URL(path, receiver.url).href);
        await open({ worker: false }, []);
        // Long enough that a busy machine is not taken for a dead process or endpoint: what is repeated is the victim's.
        const task = {
          outbox: { lease: 4000, timeout: 30_000, window },
          urls,
          changes: [
            {},
            { ordered: true },
            { ordered: true, onExhausted: 'hold' as const },
            { rateLimit: { max: 500, per: 500 } },
            { enabled: false },
          ],
          articles: isBrief ? 20 : 60,
          keys: ['a', 'b', 'c'],
        };
        const [victim, survivor] = [start(task), start(task)];
        await Promise.all([victim.printed('ready'), survivor.printed('ready')]);
        await receiver.waitFor(20 + ((seed * 37) % 300), { timeout: PATIENCE });
        await victim.end('SIGKILL');
        await survivor.printed('done');
        // A message is done once all of its deliveries have a row, and some of them may still have to be made.
        const messages = await done(MESSAGES);
        expect(await done(DELIVERIES)).toHaveLength(messages.length * enabled.length);

        const ids = messages.map(({ id }) => idFrom('msg_', id, null));
        const { lost, duplicates, unknown } = checkDeliveries(receiver.received, ids, enabled);
        expect({ lost, unknown }).toEqual({ lost: [], unknown: [] });
        for (const path of ['/skip', '/hold'])
          expect(isInOrder(receiver.received, path)).toBe(true);
        expect(duplicates).toBeLessThanOrEqual(window);
        printFigures(`killed in mid-run on ${client ?? kind}, seed ${seed}`, {
          lost: lost.length,
          duplicates,
        });
      },
      4 * PATIENCE,
    );

    if (isBrief) return;

    it('delivers messages of a process that died between commit and hand-over', async () => {
      await open({ worker: false }, [receiver.url]);
      const urls = [receiver.url];
      // Where nobody tells of commits, a message is leased for one interval.
      const outbox = { lease: 1000, pollInterval: 1000 };
      await start({ outbox, urls, articles: 1, dies: 'after-commit' }).exited;
      expect(receiver.received).toEqual([]);
      await rig.until(MESSAGES, (rows) => rows.length === 1);
      start({ outbox: {}, urls, articles: 0 });
      await receiver.waitFor(1);
      await rig.until(MESSAGES, isDone);
      expect(receiver.received).toHaveLength(1);
    });

    it('repeats a request whose answer was not recorded when its process was killed', async () => {
      await open({ worker: false }, [receiver.url]);
      const urls = [receiver.url];
      await start({ outbox: { lease: 1000 }, urls, articles: 1, dies: 'after-answer' }).exited;
      expect(receiver.received).toHaveLength(1);
      expect(await rig.rows(DELIVERIES)).toEqual([]);
      start({ outbox: {}, urls, articles: 0 });
      const [first, second] = await receiver.waitFor(2);
      expect(second!.id).toBe(first!.id);
      await rig.until(MESSAGES, isDone);
      expect(await rig.rows(DELIVERIES)).toMatchObject([{ status: 'succeeded', requests: 1 }]);
      expect(receiver.received).toHaveLength(2);
    });

    it('finishes requests in flight on SIGTERM: none lost, none repeated', async () => {
      receiver.otherwise({ delay: 500 });
      await open({ worker: false }, [receiver.url]);
      const child = start({ outbox: {}, urls: [receiver.url], articles: 50 });
      await child.printed('done');
      await receiver.waitFor(50);
      expect(await child.end('SIGTERM')).toBe(0);
      const messages = await rig.rows(MESSAGES);
      expect(messages).toHaveLength(50);
      expect(isDone(messages)).toBe(true);
      const ids = messages.map(({ id }) => idFrom('msg_', id, null));
      expect(checkDeliveries(receiver.received, ids)).toEqual({
        lost: [],
        duplicates: 0,
        unknown: [],
      });
      const rows = await rig.rows(DELIVERIES);
      expect(rows.filter(({ status }) => status === 'succeeded')).toHaveLength(50);
    });

    it(
      'delivers each message once with five processes at one table',
      async () => {
        receiver.otherwise({ delay: 5 });
        await open({ worker: false }, [receiver.url]);
        const workers = Array.from({ length: 5 }, () =>
          start({ outbox: { timeout: 30_000 }, urls: [receiver.url], articles: 0 }),
        );
        await Promise.all(workers.map((child) => child.printed('ready')));
        let tookPart = 0;
        for (const child of workers) {
          void child.printed('delivered').then(
            () => tookPart++,
            () => undefined,
          );
        }
        const sent: string[] = [];
        for (let batch = 0; batch < 20; batch++) {
          const messages = Array.from({ length: 100 }, () => rig.message());
          await rig.pipeline.send(messages);
          sent.push(...messages.map(({ id }) => id));
        }
        await receiver.waitFor(2000, { timeout: 2 * PATIENCE });
        await done(MESSAGES);
        expect(await done(DELIVERIES)).toHaveLength(2000);
        for (const child of workers) expect(await child.end('SIGTERM')).toBe(0);
        expect(checkDeliveries(receiver.received, sent)).toEqual({
          lost: [],
          duplicates: 0,
          unknown: [],
        });
        expect(tookPart).toBeGreaterThan(1);
      },
      4 * PATIENCE,
    );

    it('completes a fan-out that was interrupted by the death of its process', async () => {
      const other = await ScriptedReceiver.start();
      other.answer('hang');
      const urls = [receiver.url, other.url];
      await open({ worker: false }, urls);
      const child = start({ outbox: { lease: 4000, timeout: 60_000 }, urls, articles: 1 });
      await rig.until(DELIVERIES, (rows) => rows.length === 1);
      await other.waitFor(1);
      await child.end('SIGKILL');
      start({ outbox: {}, urls, articles: 0 });
      await other.waitFor(2);
      await rig.until(MESSAGES, isDone);
      expect(await rig.rows(DELIVERIES)).toMatchObject([
        { status: 'succeeded' },
        { status: 'succeeded' },
      ]);
      expect(receiver.received).toHaveLength(1);
      await other.stop();
    });

    it('ignores the outcomes of a process that was stopped beyond its lease', async () => {
      const slow = await OrderedReceiver.start();
      let answer = () => {};
      const answered = new Promise<void>((resolve) => (answer = resolve));
      slow.reply = ({ attempt }) =>
        attempt === 1 ? { status: 500, after: answered } : { status: 204 };
      const urls = [slow.url()];
      await open({ worker: false }, urls);
      const child = start({ outbox: { lease: 1000, timeout: 60_000 }, urls, articles: 1 });
      await vi.waitFor(() => expect(slow.arrivals).toHaveLength(1));
      await stop(child);
      answer();
      const other = start({ outbox: {}, urls, articles: 0 });
      await vi.waitFor(() => expect(slow.arrivals).toHaveLength(2));
      const written = await rig.until(DELIVERIES, (rows) => rows.length === 1);
      expect(written).toMatchObject([{ status: 'succeeded', requests: 1 }]);
      child.process.kill('SIGCONT');
      // It is over once it has shut down: by then it has tried to write what it knows.
      expect(await child.end('SIGTERM')).toBe(0);
      expect(await rig.rows(DELIVERIES)).toEqual(written);
      expect(await rig.rows(`SELECT * FROM ${STORED_ATTEMPTS}`)).toHaveLength(1);
      expect(await other.end('SIGTERM')).toBe(0);
      await slow.stop();
    });
  },
);
