import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  Deliveries,
  type LongWorkOptions,
  Maintenance,
  outbox,
  type ThornModuleExtras,
  type ThornModuleOptions,
  WebhookDispatcher,
} from '../../lib/index.js';
import { deliveryId, keyOf } from '../../lib/outbox/tables/keys.js';
import { LOOPBACK_RECIPIENTS, ScriptedReceiver } from '../../lib/testing/index.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import { type TestDatabase, sqliteAndPostgres } from '../support/databases.js';

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

/** What a request of long work answers: numbers, lists of ids, and where the next request goes on. */
type Counts = Readonly<Record<string, number | readonly string[]>>;
interface Step {
  readonly next: string | null;
  readonly counts: Counts;
}

describe.each([{ database: 'SQLite', create: onFile }, sqliteAndPostgres[1]!])(
  'long work through the REST API on $database',
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

    /** One request, as curl makes it. */
    async function request(path: string, body: object, authorization = OPERATOR) {
      const response = await fetch(api.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: JSON.stringify(body),
      });
      const answer = (await response.json()) as Counts & { readonly next: string | null };
      return { status: response.status, answer };
    }

    /** Makes request after request until nothing is left, or there were enough. */
    async function work(
      path: string,
      body: object,
      { authorization = OPERATOR, most = Infinity }: { authorization?: string; most?: number } = {},
    ): Promise<Step> {
      let done: Step = { counts: {}, next: null };
      for (let count = 0; count < most; count++) {
        const after = done.next === null ? {} : { after: done.next };
        const { status, answer } = await request(path, { ...body, ...after }, authorization);
        expect(status, JSON.stringify(answer)).toBe(200);
        const { next, ...counts } = answer;
        done = { counts: added(done.counts, counts), next };
        if (next === null) break;
      }
      return done;
    }

    /** Stops after two requests, and goes on from there. @returns what both have done */
    async function stoppedAndResumed(path: string, body: object, authorization = OPERATOR) {
      paceOne(api.app.get(Deliveries), ['retryFailedExcept', 'backfill']);
      paceOne(api.app.get(Maintenance), ['prune', 'reseal']);
      const first = await work(path, body, { authorization, most: 2 });
      expect(first.next).toEqual(expect.any(String));
      const second = await work(path, { ...body, after: first.next }, { authorization });
      expect(second.next).toBeNull();
      return [first.counts, second.counts] as const;
    }

    it('recovers, stopped and resumed: retries each failed delivery once', async () => {
      await start();
      const { id } = await api.subscribers.create({
        ...{ url: receiver.url, events: ['*'], owner: 'alice' },
      });
      await send(1100);
      await settled({ failed: 0 });
      // Failed by hand: an endpoint that only fails is left alone for a while.
      await query("UPDATE thorn_deliveries SET status = 'failed', reason = 'exhausted'");
      const path = `/hooks/${id}/recover`;
      const body = { since: hourAgo() };

      expect((await request(path, body, 'Bearer bob-token')).status).toBe(404);
      expect((await request(path, body, 'Bearer wrong')).status).toBe(401);
      const authorization = 'Bearer alice-token';
      const { counts } = await work(path, { ...body, dryRun: true }, { authorization });
      expect(counts).toEqual(replayed(1100));
      expect(receiver.received).toHaveLength(1100);

      expect(await stoppedAndResumed(path, body, authorization)).toEqual([
        replayed(1000),
        replayed(100),
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

      const path = `/hooks-operator/subscribers/${id}/backfill`;
      expect(await stoppedAndResumed(path, { since: hourAgo() })).toEqual([
        replayed(1000),
        replayed(100),
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

      const path = '/hooks-operator/prune';
      const counted = await work(path, { dryRun: true });
      expect(counted.counts).toMatchObject({ deleted: 450, bodies: 40, responses: 0, open: 10 });
      expect(await query('SELECT id FROM thorn_messages')).toHaveLength(520);

      expect(await stoppedAndResumed(path, {})).toMatchObject([
        { deleted: 400, bodies: 0, responses: 0, open: 0 },
        { deleted: 50, bodies: 40, responses: 0, open: 10 },
      ]);
      const left = await query('SELECT id, body FROM thorn_messages ORDER BY id');
      expect(left.map(({ id }) => id)).toEqual(ids.slice(450));
      expect(left.filter(({ body }) => body === null).map(({ id }) => id)).toEqual(
        ids.slice(460, 500),
      );
      expect(await query('SELECT id FROM thorn_deliveries')).toHaveLength(50);

      const before = new Date(now - 8 * DAY).toISOString();
      const rest = await work(path, { before });
      expect(rest.counts).toMatchObject({ deleted: 40, bodies: 0, responses: 0, open: 10 });
      expect((await request(path, {}, 'Bearer alice-token')).status).toBe(401);
    });

    it('is done by the requests of docs/operations.md as they stand', async () => {
      await start({ encryption: { keys: [{ id: 'one', key: randomBytes(32) }] } });
      const { id } = await api.subscribers.create({ url: receiver.url, events: ['*'] });
      const guide = readFileSync('docs/operations.md', 'utf8').split('\n## Maintenance\n')[1]!;
      const [, script = ''] = /```sh\n(.*?)```/s.exec(guide)!;
      const values: Readonly<Record<string, string>> = {
        TOKEN: OPERATOR.replace('Bearer ', ''),
        API: `${api.url}/hooks-operator`,
        ID: id,
      };
      const commands = script
        .replaceAll(/^([A-Z]+)=.*$/gm, (_, name: string) => `${name}=${values[name]}`)
        .replaceAll(/^curl /gm, `command curl -sS -w '\\n' `);
      const { stdout } = await promisify(execFile)('bash', ['-euc', commands]);
      const answers = stdout.trim().split('\n');
      expect(answers.map((text) => Object.keys(JSON.parse(text) as object))).toEqual([
        ...Array(3).fill(['checked', 'deleted', 'bodies', 'responses', 'open', 'next']),
        ['checked', 'resealed', 'unreadable', 'next'],
        ...Array(2).fill(expect.arrayContaining(['scheduled', 'expunged', 'disabled', 'next'])),
      ]);
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

      const path = '/hooks-operator/reseal';
      await start({ dispatch });
      expect(await request(path, {})).toMatchObject({
        status: 409,
        answer: { detail: expect.stringContaining('There is no key to seal with') },
      });
      await api.app.close();
      await start({ dispatch, encryption: { keys: [key, old] } });
      expect(await stoppedAndResumed(path, {})).toEqual([
        { checked: 400, resealed: 400, unreadable: [] },
        { checked: 53, resealed: 51, unreadable: [] },
      ]);
      const rows = [
        ...(await query('SELECT secrets AS text FROM thorn_subscribers')),
        ...(await query('SELECT CAST(recipients AS TEXT) AS text FROM thorn_messages')),
      ].map(({ text }) => String(text));
      expect(rows.filter((text) => text.includes('sealed.v1.new.'))).toHaveLength(451);
      expect(rows.filter((text) => text.includes('sealed.v1.old.'))).toEqual([]);
      expect((await work(path, {})).counts).toMatchObject({ resealed: 0 });
      await api.app.close();

      await start({ dispatch, encryption: { keys: [{ id: 'other', key: randomBytes(32) }] } });
      const { unreadable } = (await work(path, {})).counts;
      expect(unreadable).toHaveLength(451);
      for (const id of unreadable as readonly string[]) expect(id).toMatch(/^(sub|msg)_/);
    });
  },
);

/** Lets each call do one batch, so that whatever the machine's speed there are several. */
function paceOne<Service extends object>(
  service: Service,
  methods: readonly (keyof Service)[],
): void {
  for (const method of methods) {
    const original = (service[method] as (...args: unknown[]) => Promise<unknown>).bind(service);
    const paced = async (...args: unknown[]) => {
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

function added(one: Counts, other: Counts): Counts {
  return Object.fromEntries(
    Object.entries(other).map(([name, value]) => {
      const before = one[name] ?? (typeof value === 'number' ? 0 : []);
      return [
        name,
        typeof value === 'number' ? Number(before) + value : [...(before as string[]), ...value],
      ];
    }),
  );
}

const NOTHING = { scheduled: 0, expunged: 0, disabled: 0, underWay: 0, resent: 0 };
const replayed = (scheduled: number) => ({ ...NOTHING, scheduled });
const hourAgo = () => new Date(Date.now() - 60 * 60_000).toISOString();

function timesOf(ids: readonly unknown[]): ReadonlyMap<unknown, number> {
  const times = new Map<unknown, number>();
  for (const id of ids) times.set(id, (times.get(id) ?? 0) + 1);
  return times;
}

/** In a file, so that one application after the other can use it. */
async function onFile(): Promise<TestDatabase> {
  const directory = mkdtempSync(join(tmpdir(), 'thorn-work-'));
  return {
    options: { type: 'better-sqlite3', database: join(directory, 'test.db') },
    drop: async () => rmSync(directory, { recursive: true, force: true }),
  };
}
