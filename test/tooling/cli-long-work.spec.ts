import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import { DataSource } from 'typeorm';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  Deliveries,
  type LongWorkOptions,
  Maintenance,
  outbox,
  type ThornModuleExtras,
  type ThornModuleOptions,
  WebhookDispatcher,
} from '../../lib/index.js';
import { main } from '../../lib/cli/main.js';
import { deliveryId, keyOf } from '../../lib/outbox/tables/keys.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import { type TestDatabase, sqliteAndPostgres } from '../support/databases.js';
import { bundleProgram } from '../services/child.js';
import { Program } from '../services/program.js';

const DAY = 24 * 60 * 60_000;
const OPERATOR = 'Bearer operator-token';

@Injectable()
class OperatorGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context
      .switchToHttp()
      .getRequest<{ headers: Record<string, string | undefined> }>();
    if (headers['authorization'] !== OPERATOR) throw new UnauthorizedException();
    return true;
  }
}

let bin: string;
beforeAll(async () => {
  bin = await bundleProgram('lib/cli/thorn.ts');
});

describe.each([{ database: 'SQLite', create: onFile }, sqliteAndPostgres[1]!])(
  'long work of thorn, with an application on $database',
  ({ create }) => {
    let store: TestDatabase;
    let receiver: ScriptedReceiver;
    let api: Api;

    beforeEach(async () => {
      [store, receiver] = [await create(), await ScriptedReceiver.start()];
    });
    afterEach(async () => {
      vi.restoreAllMocks();
      await api.app.close();
      await receiver.stop();
      await store.drop();
    });

    async function start(thorn: ThornModuleOptions & ThornModuleExtras = {}): Promise<void> {
      api = await startApi('express', {
        store,
        thorn: {
          recipients: LOOPBACK_RECIPIENTS,
          retries: { schedule: [] },
          // Of a machine that has other work as well.
          timeout: 30_000,
          operatorApi: { guards: [OperatorGuard] },
          ...thorn,
        },
      });
    }

    const send = (count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, number) =>
          api.app.get(WebhookDispatcher).send('order.paid', { number }, { owner: 'alice' }),
        ),
      );
    const settled = (figures: object) =>
      vi.waitFor(async () =>
        expect(await api.app.get(Deliveries).stats()).toMatchObject({
          pending: 0,
          pendingMessages: 0,
          ...figures,
        }),
      );
    const query = (sql: string, parameters: unknown[] = []) =>
      api.app.get(DataSource).query<Record<string, unknown>[]>(sql, parameters);
    const run = (args: readonly string[], authorization: string) =>
      new Program(bin, args, '', { THORN_AUTHORIZATION: authorization });

    /** In this process, which is faster. */
    async function thorn(args: readonly string[], authorization: string) {
      const [out, notes]: [string[], string[]] = [[], []];
      const code = await main(args, {
        out: (line) => void out.push(line),
        bytes: () => undefined,
        note: (line) => void notes.push(line),
        rewrite: (text) => void notes.push(text),
        isTerminal: false,
        hasColours: false,
        env: { THORN_AUTHORIZATION: authorization },
        read: async () => Buffer.alloc(0),
        ask: async () => '',
        interrupted: new AbortController().signal,
      });
      return { code, out: out.join('\n'), notes: notes.join('\n') };
    }

    /**
     * Runs it, presses Ctrl-C while the application is at the second step, and goes on as it says.
     *
     * @returns the two last lines of output
     */
    async function stoppedAndResumed(
      args: readonly string[],
      authorization: string,
    ): Promise<readonly [string, string]> {
      let steps = 0;
      let program: Program | null = null;
      const hold = async () => {
        if (++steps !== 2 || program === null) return;
        program.kill('SIGINT');
        await program.wrote(/stopping after this step/);
      };
      paceOne(api.app.get(Deliveries), ['retryFailed', 'backfill'], hold);
      paceOne(api.app.get(Maintenance), ['prune', 'reseal'], hold);

      program = run(args, authorization);
      expect(await program.ended).toBe(1);
      expect(steps).toBe(2);
      expect(program.notes).toMatch(/^\d+, \S+\/s, next \d\/\S+$/m);
      const [, rest] = /^stopped; to continue, use (.+)$/m.exec(program.notes)!;
      const first = program.out.trim();
      program = null;

      const resumed = run([...args, ...rest!.split(' ')], authorization);
      expect({ code: await resumed.ended, notes: resumed.notes }).toMatchObject({ code: 0 });
      return [first, resumed.out.trim()];
    }

    it('replays, stopped and resumed: retries each failed delivery once', async () => {
      await start();
      const { id } = await api.subscribers.create({
        ...{ url: receiver.url, events: ['*'], owner: 'alice' },
      });
      await send(1100);
      await settled({ failed: 0 });
      // Failed by hand: an endpoint that only fails is left alone for a while.
      await query("UPDATE thorn_deliveries SET status = 'failed', reason = 'exhausted'");
      const args = ['replay', id, '--api', `${api.url}/hooks`, '--since', '1h'];

      const others = await thorn(args, 'Bearer bob-token');
      expect(others.code).toBe(1);
      expect(others.notes).toMatch(/^thorn: the API answers 404/);
      const nobody = await thorn(args, 'Bearer wrong');
      expect(nobody.code).toBe(1);
      expect(nobody.notes).toMatch(/^thorn: the API answers 401/);
      const counted = await thorn([...args, '--dry-run'], 'Bearer alice-token');
      expect(counted.code).toBe(0);
      expect(counted.out).toMatch(/^would be scheduled 1100, expunged 0, /);
      expect(receiver.received).toHaveLength(1100);

      expect(await stoppedAndResumed(args, 'Bearer alice-token')).toEqual([
        'scheduled 1000, expunged 0, disabled 0, under way 0',
        'scheduled 100, expunged 0, disabled 0, under way 0',
      ]);
      await settled({ failed: 0 });
      const times = timesOf(receiver.received.map(({ headers }) => headers['hook-delivery']));
      expect([times.size, new Set(times.values())]).toEqual([1100, new Set([2])]);
    });

    it('backfills as an operator, stopped and resumed: sends each missed message once', async () => {
      await start();
      const { id } = await api.subscribers.create({
        ...{ url: receiver.url, events: ['*'], owner: 'alice' },
      });
      await api.subscribers.update(id, { enabled: false }, 'any');
      await send(1100);
      await settled({ failed: 0 });
      await api.subscribers.update(id, { enabled: true }, 'any');

      const operators = `${api.url}/hooks-operator/subscribers`;
      const done = await stoppedAndResumed(
        ['backfill', id, '--api', operators, '--since', '1h'],
        OPERATOR,
      );
      expect(done).toEqual([
        'scheduled 1000, expunged 0, disabled 0, under way 0',
        'scheduled 100, expunged 0, disabled 0, under way 0',
      ]);
      await settled({ failed: 0 });
      const times = timesOf(receiver.received.map(({ headers }) => headers['webhook-id']));
      expect([times.size, new Set(times.values())]).toEqual([1100, new Set([1])]);
    });

    it('prunes, stopped and resumed: drops exactly the old finished messages', async () => {
      await start({
        dispatch: outbox({ worker: false, retentionDays: 30, expunge: { payloadDays: 7 } }),
      });
      await send(520);
      const ids = (await query('SELECT id FROM thorn_messages ORDER BY id')).map(({ id }) => id);
      await query('DELETE FROM thorn_pending_messages');
      const now = Date.now();
      const aged = async (from: number, to: number, days: number, dueAt: number | null) => {
        for (const id of ids.slice(from, to)) {
          const time = now - days * DAY;
          await query(
            `UPDATE thorn_messages SET time = ${time} WHERE id = '${String(id)}'`, // our own ids
          );
          await query(
            `INSERT INTO thorn_deliveries (id, message_id, subscriber_id, event, status, attempts, throttled, requests, due_at, finished_at)
             VALUES ('${keyOf('dlv_', deliveryId({ id: `msg_${String(id)}`, time }, 'sub_1'))}', '${String(id)}', '${keyOf('sub_', 'sub_1')}', 'order.paid', '${dueAt === null ? 'succeeded' : 'pending'}', 1, 0, 1, ${dueAt}, ${dueAt === null ? time : null})`,
          );
        }
      };
      await aged(0, 450, 40, null);
      await aged(450, 460, 40, now + DAY);
      await aged(460, 500, 10, null);

      const api_ = ['--api', `${api.url}/hooks-operator`];
      const counted = await thorn(['prune', ...api_, '--dry-run'], OPERATOR);
      expect(counted.code).toBe(0);
      expect(counted.out).toBe(
        'would be deleted 450, without body 40, without responses 0, still open 10',
      );
      expect(await query('SELECT id FROM thorn_messages')).toHaveLength(520);

      const [first, second] = await stoppedAndResumed(['prune', ...api_], OPERATOR);
      expect(first).toBe('deleted 400, without body 0, without responses 0, still open 0');
      expect(second).toBe('deleted 50, without body 40, without responses 0, still open 10');
      const left = await query('SELECT id, body FROM thorn_messages ORDER BY id');
      expect(left.map(({ id }) => id)).toEqual(ids.slice(450));
      expect(left.filter(({ body }) => body === null).map(({ id }) => id)).toEqual(
        ids.slice(460, 500),
      );
      expect(await query('SELECT id FROM thorn_deliveries')).toHaveLength(50);

      const rest = await thorn(['prune', ...api_, '--before', '8d'], OPERATOR);
      expect(rest.code).toBe(0);
      expect(rest.out).toBe('deleted 40, without body 0, without responses 0, still open 10');
      const wrong = await thorn(['prune', ...api_, '--before', '2126-01-01'], OPERATOR);
      expect(wrong.code).toBe(2);
      const nobody = await thorn(['prune', ...api_], 'Bearer alice-token');
      expect(nobody.code).toBe(1);
      expect(nobody.notes).toMatch(/401/);
    });

    it('reseals, stopped and resumed: secrets of subscribers and of messages', async () => {
      const [old, key] = [
        { id: 'old', key: randomBytes(32) },
        { id: 'new', key: randomBytes(32) },
      ];
      const dispatch = outbox({ worker: false });
      await start({ dispatch, encryption: { keys: [old] } });
      for (let at = 0; at < 450; at++) {
        await api.subscribers.create({
          url: `https://example.com/${at}`,
          events: ['article.created'],
        });
      }
      const own = { url: receiver.url, secret: 'a secret of this message alone' };
      await api.app.get(WebhookDispatcher).send('order.paid', {}, { subscribers: [own] });
      await send(2);
      await api.app.close();

      const args = () => ['reseal', '--api', `${api.url}/hooks-operator`];
      const nothing = await startedWith(undefined);
      expect(nothing).toEqual([1, expect.stringContaining('409: There is no key to seal with')]);
      await start({ dispatch, encryption: { keys: [key, old] } });
      expect(await stoppedAndResumed(args(), OPERATOR)).toEqual([
        'sealed again 400 of 400, unreadable 0',
        'sealed again 51 of 53, unreadable 0',
      ]);
      const rows = [
        ...(await query('SELECT secrets AS text FROM thorn_subscribers')),
        ...(await query('SELECT CAST(recipients AS TEXT) AS text FROM thorn_messages')),
      ].map(({ text }) => String(text));
      expect(rows.filter((text) => text.includes('sealed.v1.new.'))).toHaveLength(451);
      expect(rows.filter((text) => text.includes('sealed.v1.old.'))).toEqual([]);
      const again = await thorn(args(), OPERATOR);
      expect([again.code, again.out]).toEqual([0, expect.stringMatching(/^sealed again 0 /)]);
      await api.app.close();

      const [code, said] = await startedWith({ id: 'other', key: randomBytes(32) });
      expect([code, said.match(/^unreadable: (sub|msg)_/gm)]).toMatchObject([
        1,
        expect.objectContaining({ length: 451 }),
      ]);

      async function startedWith(only: typeof key | undefined) {
        await start({ dispatch, ...(only && { encryption: { keys: [only] } }) });
        const { code, out, notes } = await thorn(args(), OPERATOR);
        if (only === undefined) await api.app.close();
        return [code, out + notes] as const;
      }
    });

    it('shows progress, speed and remaining time on a terminal', async () => {
      await start({ dispatch: outbox({ worker: false }) });
      await send(450);
      await query('DELETE FROM thorn_pending_messages');
      await query('UPDATE thorn_messages SET time = 1');
      paceOne(api.app.get(Maintenance), ['prune'], async () => undefined);
      const [shown, out]: [string[], string[]] = [[], []];
      const code = await main(['prune', '--api', `${api.url}/hooks-operator`], {
        out: (line) => void out.push(line),
        bytes: () => undefined,
        note: (line) => void shown.push(`note: ${line}`),
        rewrite: (text) => void shown.push(text),
        isTerminal: true,
        hasColours: false,
        env: { THORN_AUTHORIZATION: OPERATOR },
        read: async () => Buffer.alloc(0),
        ask: async () => '',
        interrupted: new AbortController().signal,
      });
      expect([code, out]).toEqual([
        0,
        ['deleted 450, without body 0, without responses 0, still open 0'],
      ]);
      expect(shown).toEqual([
        expect.stringMatching(/^counting: 200, \S+\/s$/),
        expect.stringMatching(/^counting: 400, \S+\/s$/),
        expect.stringMatching(/^counting: 450, \S+\/s$/),
        '',
        expect.stringMatching(/^200 of 450, 44 %, \S+\/s, \d+ s left$/),
        expect.stringMatching(/^400 of 450, 88 %, \S+\/s, \d+ s left$/),
        expect.stringMatching(/^450 of 450, 100 %, \S+\/s$/),
        '',
      ]);
    });
  },
);

/** Lets each call do one batch, so that whatever the machine's speed there are several. */
function paceOne<Service extends object>(
  service: Service,
  methods: readonly (keyof Service)[],
  hold: () => Promise<void>,
): void {
  for (const method of methods) {
    const original = (service[method] as (...args: unknown[]) => Promise<unknown>).bind(service);
    const paced = async (...args: unknown[]) => {
      await hold();
      const controller = new AbortController();
      const pace: LongWorkOptions<unknown> = {
        signal: controller.signal,
        onProgress: () => controller.abort(),
      };
      return original(
        ...args.map((one) =>
          typeof one === 'object' && one !== null && 'signal' in one ? { ...one, ...pace } : one,
        ),
      );
    };
    vi.spyOn(service, method as never).mockImplementation(paced as never);
  }
}

function timesOf(ids: readonly unknown[]): ReadonlyMap<unknown, number> {
  const times = new Map<unknown, number>();
  for (const id of ids) times.set(id, (times.get(id) ?? 0) + 1);
  return times;
}

/** In a file, so that one application after the other can use it. */
async function onFile(): Promise<TestDatabase> {
  const directory = mkdtempSync(join(tmpdir(), 'thorn-cli-'));
  return {
    options: { type: 'better-sqlite3', database: join(directory, 'test.db') },
    drop: async () => rmSync(directory, { recursive: true, force: true }),
  };
}
