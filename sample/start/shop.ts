import { readFileSync } from 'node:fs';
import { ensureSchema, fromPg } from 'nestjs-thorn/sql';
import pg from 'pg';
import { startOwnPostgres } from '../../test/services/postgres.js';
import { clientOf } from '../blog/play/client.js';
import { start, startApplication } from '../blog/play/processes.js';
import { curlOf } from './blog.js';
import type { Stage } from './start.js';

/** By client: the migrations of its tool beside those of Thorn's tables, and the table's name. */
const SHOPS = {
  prisma: {
    orders: 'prisma/migrations/20261129000000_orders/migration.sql',
    triggers: 'prisma/migrations/20261129000001_triggers/migration.sql',
    table: '"Order"',
  },
  drizzle: {
    orders: 'drizzle/0000_orders.sql',
    triggers: 'drizzle/0001_triggers.sql',
    table: 'orders',
  },
};
const PARTNER = 'ann';

/** A shop on Prisma or Drizzle, with a PostgreSQL server of its own, and the endpoint of a partner. */
export async function startShop(
  name: keyof typeof SHOPS,
  { port, consumerPort, running }: Stage,
): Promise<string> {
  const postgres = await startOwnPostgres();
  running.push(postgres);
  const { orders, triggers, table } = SHOPS[name];
  await migrate(postgres.url, name, orders, triggers);
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

One without a price is refused after it was stored. The rollback takes its event along, and nothing arrives:
  ${curl} -d '{"total": 0}'

An order that another program stores is told as well:
  psql '${postgres.url}' -c 'INSERT INTO ${table} (partner, total) VALUES ($$${PARTNER}$$, 7)'`;
}

/** What the tool of the client does: `npx thorn migrations` and `npx thorn triggers` have printed all but the first. */
async function migrate(connectionString: string, name: string, orders: string, triggers: string) {
  const pool = new pg.Pool({ connectionString });
  await pool.query(readFileSync(`sample/${name}/${orders}`, 'utf8'));
  await ensureSchema(fromPg(pool), { schema: 'thorn' });
  await pool.query(readFileSync(`sample/${name}/${triggers}`, 'utf8'));
  await pool.end();
}
