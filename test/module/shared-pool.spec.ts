import { setImmediate } from 'node:timers/promises';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Pool, type PoolClient } from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ThornModule, WebhookDispatcher } from '../../lib/index.js';
import { fromPg } from '../../lib/sql/index.js';
import { type FreshDatabase, freshPostgres } from '../services/database.js';
import { migrate } from '../support/sql-clients.js';

let place: FreshDatabase;
let pool: Pool;
const warnings: Error[] = [];
const warn = (warning: Error) => void warnings.push(warning);

beforeAll(async () => {
  place = await freshPostgres();
  await migrate(place.url);
  pool = new Pool({ connectionString: place.url, max: 4 });
  process.on('warning', warn);
  vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
});
afterAll(async () => {
  vi.restoreAllMocks();
  process.off('warning', warn);
  await pool.end();
  await place.drop();
});

/** The listeners of the pool, and those of each of its connections while it is handed out. */
async function listeners(): Promise<readonly unknown[]> {
  const ofEach = (emitter: Pool | PoolClient) =>
    emitter
      .eventNames()
      .filter((name) => emitter.listenerCount(name) > 0)
      .map((name) => `${String(name)} ${emitter.listenerCount(name)}`);
  const clients = await Promise.all(Array.from({ length: 4 }, () => pool.connect()));
  const found = [ofEach(pool), ...clients.map((client) => ofEach(client))];
  for (const client of clients) client.release();
  return found;
}

async function start(): Promise<INestApplicationContext> {
  const thorn = ThornModule.forRoot({ database: fromPg(pool) });
  return (await Test.createTestingModule({ imports: [thorn] }).compile()).init();
}

/** In a transaction of the pool. */
async function send(app: INestApplicationContext): Promise<void> {
  const tx = await pool.connect();
  await tx.query('BEGIN');
  await app.get(WebhookDispatcher).send('order.placed', {}, { tx });
  await tx.query('COMMIT');
  tx.release();
}

it('has no listener of an application that is closed, whether one or many work on it', async () => {
  const before = await listeners();
  for (let count = 0; count < 100; count++) {
    const app = await start();
    if (count % 10 === 0) await send(app);
    await app.close();
  }
  expect(await listeners()).toEqual(before);

  const together: INestApplicationContext[] = [];
  for (let count = 0; count < 12; count++) together.push(await start());
  for (const app of together) await send(app);
  for (const app of together) await app.close();

  expect(await listeners()).toEqual(before);
  // Node.js emits warnings in a turn of their own.
  await setImmediate();
  expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([]);
});
