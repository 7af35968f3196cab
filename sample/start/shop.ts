import { readFileSync } from 'node:fs';
import pg from 'pg';
import { startOwnPostgres } from '../../test/services/postgres.js';
import { clientOf } from '../blog/play/client.js';
import { start, startApplication } from '../blog/play/processes.js';
import { curlOf } from './blog.js';
import type { Stage } from './start.js';

const TABLES = {
  prisma: 'prisma/migrations/20261129000000_orders/migration.sql',
  drizzle: 'drizzle/0000_orders.sql',
};
const PARTNER = 'ann';

/** A shop on Prisma or Drizzle, with a PostgreSQL server of its own, and the endpoint of a partner. */
export async function startShop(
  name: keyof typeof TABLES,
  { port, consumerPort, running }: Stage,
): Promise<string> {
  const postgres = await startOwnPostgres();
  running.push(postgres);
  await query(postgres.url, readFileSync(`sample/${name}/${TABLES[name]}`, 'utf8'));
  const consumer = await start('consumer', consumerPort);
  running.unshift(consumer);
  const shop = await startApplication(`../${name}/src/main`, port, { DATABASE_URL: postgres.url });
  running.unshift(shop);

  const hook = { events: ['order.*'], url: `${consumer.url}/webhooks` };
  const { body } = await clientOf(shop.url, PARTNER)('POST', '/hooks', hook);
  await fetch(`${consumer.url}/secret`, { method: 'PUT', body: String(body['secret']) });
  const curl = `${curlOf(PARTNER)} ${shop.url}/orders`;
  return `
The shop listens on ${shop.url}, on a PostgreSQL server of its own. Ann has subscribed ${hook.url} to order.*.

Place an order, and see here what Ann's endpoint verified:
  ${curl} -d '{"total": 5}'

One without a price is refused after its event was sent. The rollback takes both along, and nothing arrives:
  ${curl} -d '{"total": 0}'`;
}

async function query(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(sql);
  await client.end();
}
