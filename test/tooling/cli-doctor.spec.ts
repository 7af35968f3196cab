import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../lib/cli/main.js';
import {
  Clock,
  Deliveries,
  inline,
  outbox,
  type ThornModuleExtras,
  type ThornModuleOptions,
  WebhookDispatcher,
} from '../../lib/index.js';
import { LOOPBACK_RECIPIENTS, MovableClock } from '../../lib/testing/index.js';
import type { OutboxStrategy } from '../../lib/outbox/index.js';
import { DispatchStrategy } from '../../lib/extending/index.js';
import { ensureSchema, fromDrizzle } from '../../lib/sql/index.js';
import { freshPostgres } from '../services/database.js';
import { freePort } from '../services/free-port.js';
import { type Api, startApi } from '../support/apps/api-app.js';
import { sqliteAndPostgres, type TestDatabase } from '../support/databases.js';

const TOKEN = 'operator-token';
const KEY = Buffer.alloc(32, 7).toString('base64');

@Injectable()
class OperatorGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context
      .switchToHttp()
      .getRequest<{ headers: Record<string, string | undefined> }>();
    if (headers['authorization'] !== `Bearer ${TOKEN}`) throw new UnauthorizedException();
    return true;
  }
}

describe('thorn doctor', () => {
  let store: TestDatabase;
  let api: Api | undefined;

  beforeEach(async () => {
    store = await sqliteAndPostgres[0]!.create();
  });
  afterEach(async () => {
    await api?.app.close();
    api = undefined;
    await store.drop();
  });

  async function start(thorn: ThornModuleOptions & ThornModuleExtras = {}): Promise<string> {
    api = await startApi('express', {
      store,
      thorn: {
        recipients: LOOPBACK_RECIPIENTS,
        encryption: { keys: [{ id: '1', key: KEY }] },
        clock: MovableClock,
        operatorApi: { guards: [OperatorGuard] },
        ...thorn,
      },
    });
    return `${api.url}/hooks-operator`;
  }

  async function doctor(args: readonly string[], env: Record<string, string> = {}) {
    const [out, notes]: [string[], string[]] = [[], []];
    const code = await main(['doctor', ...args], {
      out: (line) => void out.push(line),
      bytes: () => undefined,
      note: (line) => void notes.push(line),
      hasColours: false,
      env,
      read: async () => Buffer.alloc(0),
      interrupted: new AbortController().signal,
    });
    return { code, out, notes };
  }

  it('tells how the application is set up, and what is wrong', async () => {
    const url = await start();
    const { code, out } = await doctor([url, '--token', TOKEN]);

    expect(code).toBe(1);
    expect(out).toEqual(
      expect.arrayContaining([
        'strategy     outbox() with a worker',
        'databases    default (better-sqlite3)',
        'events       5',
        'REST API     /hooks, /hooks-operator',
        'backlog      0 due, the oldest for 0 ms; 0 failed for good',
        'hosts        all get webhooks',
        expect.stringMatching(/^wrong {8}synchronize: The data source default/),
        expect.stringMatching(/^wrong {8}no-health-check: /),
      ]),
    );
    expect(out.join()).not.toContain(KEY);
    expect(out.join()).not.toContain('secrets-unsealed');
    expect(await doctor([url], { THORN_AUTHORIZATION: `Bearer ${TOKEN}` })).toEqual({
      code,
      out,
      notes: [],
    });
  });

  it('names the database client where that is not TypeORM', async () => {
    const place = await freshPostgres();
    const pool = new pg.Pool({ connectionString: place.url });
    const db = drizzle({ client: pool });
    await ensureSchema(fromDrizzle(db));
    api = await startApi('express', {
      thorn: { database: fromDrizzle(db), operatorApi: { guards: [OperatorGuard] } },
    });
    const { out } = await doctor([`${api.url}/hooks-operator`, '--token', TOKEN]);
    await api.app.close();
    api = undefined;
    await pool.end();
    await place.drop();

    expect(out).toContain('databases    Drizzle (postgres)');
  });

  it('prefers what is on the command line to THORN_AUTHORIZATION', async () => {
    const url = await start();
    const env = { THORN_AUTHORIZATION: 'Bearer of-another-application' };
    for (const args of [
      ['--token', TOKEN],
      ['-H', `Authorization: Bearer ${TOKEN}`],
    ]) {
      const { out, notes } = await doctor([url, ...args], env);
      expect([args, notes, out.length > 0]).toEqual([args, [], true]);
    }
    const both = ['--token', TOKEN, '-H', `authorization: Bearer ${TOKEN}`];
    expect(await doctor([url, ...both])).toMatchObject({
      code: 2,
      notes: [expect.stringContaining('--token and --header both give Authorization')],
    });
  });

  it('tells of webhooks that wait for too long, and of a pause of all hosts', async () => {
    const url = await start({ dispatch: outbox({ worker: false }) });
    await api!.subscribers.create({ url: 'https://example.com', events: ['*'], owner: 'alice' });
    await api!.app.get(WebhookDispatcher).send('order.paid', {}, { owner: 'alice' });
    await api!.app.get<OutboxStrategy>(DispatchStrategy).pause('*');
    api!.app.get<MovableClock>(Clock).advance(90_000);
    expect((await api!.app.get(Deliveries).stats()).lag).toBeGreaterThanOrEqual(90_000);

    const wrong = async (...more: string[]) =>
      (await doctor([url, '--token', TOKEN, ...more])).out.filter((line) =>
        line.startsWith('wrong'),
      );
    expect(await wrong()).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^wrong {8}lag: webhooks have waited for 9\d{4} ms/),
        expect.stringContaining('paused: all hosts are paused'),
      ]),
    );
    expect((await wrong('--max-lag', '1h')).join()).not.toContain('lag:');
  });

  it('looks at an application without an outbox', async () => {
    const { out } = await doctor([await start({ dispatch: inline() }), '--token', TOKEN]);
    expect(out[0]).toBe('strategy     inline()');
    expect(out.join()).not.toContain('backlog');
  });

  it('ends with 1 where it is not let in, and never shows the token', async () => {
    const url = await start();
    const { code, out, notes } = await doctor([url, '--token', 'wrong-token']);
    expect([code, out]).toEqual([1, []]);
    expect(notes).toEqual([expect.stringContaining('the API answers 401')]);
    expect(notes.join()).not.toContain('wrong-token');
  });

  it.each<[string, string, boolean, readonly RegExp[]]>([
    ['has no operator API', '/hooks-operator', false, [/REST API for owners at \S+\/hooks, but/]],
    ['has one elsewhere', '/hooks-operators', true, [/no operator API at \S+\/hooks-operators\./]],
    ['is asked at the URL of owners', '/hooks', true, [/\/hooks is the REST API for owners\./]],
    [
      'is asked at the URL of owners, and has no other',
      '/hooks',
      false,
      [/is the REST API for ow/],
    ],
    ['is asked at a wrong path', '/api/v1/hooks-operator', true, [/Thorn does not answer at/]],
  ])('says which it is where the application %s', async (_, path, has, texts) => {
    await start(has ? {} : { operatorApi: undefined as never });
    for (const args of [[], ['--token', TOKEN], ['--token', 'alice-token']]) {
      const { code, out, notes } = await doctor([api!.url + path, ...args]);

      expect([code, out, notes.length]).toEqual([1, [], 1]);
      for (const text of texts) expect(notes[0]).toMatch(text);
      expect(notes[0]).toContain('set operatorApi: { guards: [OperatorGuard] }');
    }
  });

  it('says that nothing was reached where nothing listens', async () => {
    const url = `http://127.0.0.1:${await freePort()}/hooks-operator`;
    expect((await doctor([url, '--token', TOKEN])).notes).toEqual([
      expect.stringContaining('the API was not reached'),
    ]);
  });

  it.each([[[]], [['nowhere']], [['https://example.com', '--max-lag', 'soon']]])(
    'ends with 2 for %j',
    async (args) => {
      expect((await doctor(args)).code).toBe(2);
    },
  );
});
