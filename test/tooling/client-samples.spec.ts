import type { INestApplication } from '@nestjs/common';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ensureSchema, fromPg } from '../../lib/sql/index.js';
import { ScriptedReceiver } from '../../lib/testing/index.js';
import { type FreshDatabase, freshPostgres } from '../services/database.js';

const SAMPLES = [
  {
    name: 'prisma',
    tables: 'prisma/migrations/20261129000000_orders/migration.sql',
    triggers: 'prisma/migrations/20261129000001_triggers/migration.sql',
    count: 'SELECT count(*)::int FROM "Order"',
  },
  {
    name: 'drizzle',
    tables: 'drizzle/0000_orders.sql',
    triggers: 'drizzle/0001_triggers.sql',
    count: 'SELECT count(*)::int FROM orders',
  },
];

describe.each(SAMPLES)('sample/$name', ({ name, tables, triggers, count }) => {
  let place: FreshDatabase;
  let database: pg.Pool;
  let receiver: ScriptedReceiver;
  let app: INestApplication | undefined;
  let url: string;

  beforeAll(async () => {
    place = await freshPostgres();
    database = new pg.Pool({ connectionString: place.url });
    const run = (file: string) => database.query(readFileSync(join('sample', name, file), 'utf8'));
    await run(tables);
    await ensureSchema(fromPg(database), { schema: 'thorn' });
    await run(triggers);
    receiver = await ScriptedReceiver.start();
    vi.stubEnv('PORT', '0');
    vi.stubEnv('DATABASE_URL', place.url);
    const main = resolve('sample', name, 'src/main.ts');
    ({ app } = (await import(/* @vite-ignore */ main)) as { app: INestApplication });
    url = await app.getUrl();
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await app?.close();
    await receiver?.stop();
    await database?.end();
    await place?.drop();
  });

  async function call(method: string, path: string, body?: object) {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: 'Bearer ann', 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as never };
  }

  it('sends what was committed, signed, and nothing of what was rolled back', async () => {
    const subscriber = await call('POST', '/hooks', { events: ['order.*'], url: receiver.url });
    expect(subscriber.status).toBe(201);
    const { id, secret } = subscriber.body as { readonly id: string; readonly secret: string };

    expect((await call('POST', '/orders', { total: -1 })).status).toBe(400);
    const placed = await call('POST', '/orders', { total: 5 });
    expect(placed).toMatchObject({ status: 201, body: { partner: 'ann', total: 5 } });

    const webhook = await receiver.waitFor(({ event }) => event === 'order.placed');
    expect(webhook.isSignedWith(secret)).toBe(true);
    expect(webhook.json).toMatchObject({ owner: 'ann', data: { total: 5 } });
    const log = () => call('GET', `/hooks/${id}/deliveries`);
    await expect
      .poll(async () => (await log()).body)
      .toMatchObject({
        items: [{ event: 'order.placed', status: 'succeeded' }],
      });
    expect(receiver.received).toHaveLength(1);
    expect((await database.query(count)).rows).toEqual([{ count: 1 }]);
  });

  it('serves the page', async () => {
    const page = await fetch(`${url}/webhooks`, { headers: { authorization: 'Bearer ann' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/html'),
    ]);
  });

  it('is in the list of samples', () => {
    expect(readFileSync('sample/README.md', 'utf8')).toContain(`[${name}](${name})`);
  });
});
